import type { z } from 'zod';
import type { Family } from './task.ts';

/** How much one task of a type may carry. */
export interface TaskLimits {
  readonly items: number;
  /** Bytes of the input as JSON, UTF-8. */
  readonly bytes: number;
}

/**
 * What a type of task is: its schemas, and how a task is taken apart into items and put together again. Written with
 * method signatures so that types of different inputs fit in one catalog.
 */
export interface TaskType<Input = unknown, Output = unknown, Item = unknown, Value = unknown> {
  readonly type: `${Family}.${string}`;
  readonly family: Family;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  readonly limits: TaskLimits;
  /** The output field whose value is Float32Array rows; stored raw, outside the JSON. */
  readonly vectors: string | undefined;
  /** An input that works, for docs and for trying things out. */
  readonly example: Input;
  /** The items that a task is made of; each is computed, and fails, by itself. */
  items(input: Input): readonly Item[];
  /** The output of the task from the values of its items, in the order of `items`. */
  join(values: readonly Value[], input: Input): Output;
  /** Items with the same key may share a call. */
  batchKey(item: Item): string;
  /** How much an item asks of a call, in the unit of its family: tokens for inference, characters for text. */
  cost(item: Item): number;
  /**
   * About how many bytes of Redis a task will still take until it has ended: its result, and what is noted on the way.
   * `inputBytes`: the input as JSON. Admission keeps that much free.
   */
  resultBytes(input: Input, inputBytes: number): number;
  /** The model that a task needs; undefined when it needs none. */
  model(input: Input): string | undefined;
}

interface CommonDefinition<Input, Output, Item> {
  readonly type: `${Family}.${string}`;
  readonly family: Family;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  readonly example: Input;
  readonly limits?: TaskLimits;
  readonly vectors?: keyof Output & string;
  batchKey?(item: Item): string;
  cost?(item: Item): number;
  resultBytes?(input: Input, inputBytes: number): number;
  model?(input: Input): string | undefined;
}

interface ItemizedDefinition<Input, Output, Item, Value> extends CommonDefinition<Input, Output, Item> {
  items(input: Input): readonly Item[];
  join(values: readonly Value[], input: Input): Output;
}

/**
 * What every task leaves beside its result, in bytes: the growth of its job's record, the facts of its outcome, its place among
 * the ended ones, BullMQ's events. Measured on Redis 7.0: 1.6 kB, rounding included.
 */
export const endedTaskBytes = 1536;

const defaultLimits: TaskLimits = { items: 256, bytes: 2 ** 20 };

/**
 * Defines a type of task. With `items` and `join` a task is taken apart into items that are batched, computed and fail one
 * by one; without them it is one item, and the processor gets the input and gives the output. `batchKey` defaults to one
 * key for the type, `cost` to 1 per item, `limits` to 256 items and 1 MiB, `resultBytes` to as many as the input has.
 */
export function defineTaskType<Input, Output, Item, Value>(
  definition: ItemizedDefinition<Input, Output, Item, Value>,
): TaskType<Input, Output, Item, Value>;
export function defineTaskType<Input, Output>(
  definition: CommonDefinition<Input, Output, Input>,
): TaskType<Input, Output, Input, Output>;
export function defineTaskType<Input, Output, Item, Value>(
  definition: CommonDefinition<Input, Output, Item> &
    Partial<Pick<ItemizedDefinition<Input, Output, Item, Value>, 'items' | 'join'>>,
): TaskType<Input, Output, Item, Value> {
  return {
    limits: defaultLimits,
    // By the overloads, Item is Input and Value is Output where these two are missing.
    items: (input) => [input as unknown as Item],
    join: ([value]) => value as unknown as Output,
    batchKey: () => '',
    cost: () => 1,
    model: () => undefined,
    resultBytes: (_input, inputBytes) => inputBytes + endedTaskBytes,
    ...definition,
    vectors: definition.vectors,
  };
}
