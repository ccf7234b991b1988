import type { z } from 'zod';
import type { Preparation, PreparationFacts } from './preparation.ts';
import type { Family } from './task.ts';
import type { ValueKeeping } from './value-keeping.ts';
import type { CollectionUse } from './vector/collection-use.ts';

/** How much one task of a type may carry. */
export interface TaskLimits {
  readonly items: number;
  /** Bytes of the input as JSON, UTF-8. */
  readonly bytes: number;
}

/** `family.name`. */
export type TaskTypeName = `${Family}.${string}`;

/**
 * What a type of task is: its schemas, and how a task is taken apart into items and put together again. Written with
 * method signatures so that types of different inputs fit in one catalog. `Name` is kept to the letter: a client that is given
 * the type knows by it what belongs together.
 */
export interface TaskType<
  Input = unknown,
  Output = unknown,
  Item = unknown,
  Value = unknown,
  Name extends TaskTypeName = TaskTypeName,
> {
  readonly type: Name;
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
  /**
   * Which items are the same: those with the same identity have the same value, so one is computed for all that are under way.
   * undefined, as by default: never shared. Only for values that depend on the item alone.
   */
  identity(item: Item): string | undefined;
  /** How values are kept, so that the same item is not computed again later; undefined: they are shared in flight alone. */
  readonly keeping: ValueKeeping<Item, Value> | undefined;
  /** How much an item asks of a call, in the unit of its family: tokens for inference, characters for text. */
  cost(item: Item): number;
  /**
   * About how many bytes of Redis a task will still take until it has ended: its result, and what is noted on the way.
   * `inputBytes`: the input as JSON. Admission keeps that much free.
   */
  resultBytes(input: Input, inputBytes: number): number;
  /** The model that a task needs; undefined when it needs none. */
  model(input: Input): string | undefined;
  /** How much of `limits.items` an input takes; as many as it has items unless the type says otherwise. */
  size(input: Input): number;
  /** The collection that a task works on, and the vectors that it brings; undefined when there is none. */
  collection(input: Input): CollectionUse | undefined;
  /** What other tasks must give before this one can be computed; by default nothing. */
  prepare(input: Input, facts: PreparationFacts): Preparation<Input>;
}

interface CommonDefinition<Input, Output, Item, Name extends TaskTypeName> {
  readonly type: Name;
  readonly family: Family;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  readonly example: Input;
  readonly limits?: TaskLimits;
  readonly vectors?: keyof Output & string;
  batchKey?(item: Item): string;
  identity?(item: Item): string | undefined;
  cost?(item: Item): number;
  resultBytes?(input: Input, inputBytes: number): number;
  model?(input: Input): string | undefined;
  size?(input: Input): number;
  collection?(input: Input): CollectionUse | undefined;
  prepare?(input: Input, facts: PreparationFacts): Preparation<Input>;
}

interface WholeDefinition<Input, Output, Name extends TaskTypeName>
  extends CommonDefinition<Input, Output, Input, Name> {
  readonly keeping?: ValueKeeping<Input, Output>;
}

interface ItemizedDefinition<Input, Output, Item, Value, Name extends TaskTypeName>
  extends CommonDefinition<Input, Output, Item, Name> {
  readonly keeping?: ValueKeeping<Item, Value>;
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
export function defineTaskType<Input, Output, Item, Value, const Name extends TaskTypeName>(
  definition: ItemizedDefinition<Input, Output, Item, Value, Name>,
): TaskType<Input, Output, Item, Value, Name>;
export function defineTaskType<Input, Output, const Name extends TaskTypeName>(
  definition: WholeDefinition<Input, Output, Name>,
): TaskType<Input, Output, Input, Output, Name>;
export function defineTaskType<Input, Output, Item, Value, Name extends TaskTypeName>(
  definition: CommonDefinition<Input, Output, Item, Name> &
    Partial<Pick<ItemizedDefinition<Input, Output, Item, Value, Name>, 'items' | 'join' | 'keeping'>>,
): TaskType<Input, Output, Item, Value, Name> {
  // By the overloads, Item is Input and Value is Output where these two are missing.
  const items = definition.items?.bind(definition) ?? ((input: Input) => [input as unknown as Item]);
  return {
    limits: defaultLimits,
    items,
    size: (input) => items(input).length,
    collection: () => undefined,
    prepare: (input) => ({ ready: true, input }),
    join: ([value]) => value as unknown as Output,
    batchKey: () => '',
    identity: () => undefined,
    keeping: undefined,
    cost: () => 1,
    model: () => undefined,
    resultBytes: (_input, inputBytes) => inputBytes + endedTaskBytes,
    ...definition,
    vectors: definition.vectors,
  };
}
