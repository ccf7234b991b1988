import type { ErrorCode } from '../errors.ts';
import type { TaskType } from './define-task-type.ts';

/** What became of one item of a call. */
export type ItemOutcome<Value = unknown> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** Figures that a call reports of itself, for the metrics. */
export type CallStat = 'realTokens' | 'paddedTokens';

/** What a processor is given with a call. */
export interface CallContext {
  /** Says that the call has taken too long: whoever looks at it between two steps can end with outcomes instead of being killed. */
  readonly signal: AbortSignal;
  count(stat: CallStat, by: number): void;
}

/**
 * Computes the items of one call, in a lane. Gives one outcome per item, in order: an item that cannot be computed is an
 * outcome too. What it throws is held against the whole call, which is then taken apart to find the item at fault.
 */
export interface Processor<Item = unknown, Value = unknown> {
  process(items: readonly Item[], context: CallContext): Promise<readonly ItemOutcome<Value>[]>;
}

/** A processor that knows which task type it computes. */
export interface TypedProcessor<Item = unknown, Value = unknown> extends Processor<Item, Value> {
  readonly type: string;
}

/** Ties a processor to its task type, so that items and values are typed by it. */
export function defineProcessor<Input, Output, Item, Value>(
  taskType: TaskType<Input, Output, Item, Value>,
  processor: Processor<Item, Value>,
): TypedProcessor<Item, Value> {
  return { type: taskType.type, process: (items, context) => processor.process(items, context) };
}

/** The outcome of an item that was computed. */
export function succeeded<Value>(value: Value): ItemOutcome<Value> {
  return { ok: true, value };
}

/** The outcome of an item that could not be. */
export function failed(code: ErrorCode, message: string): ItemOutcome<never> {
  return { ok: false, code, message };
}
