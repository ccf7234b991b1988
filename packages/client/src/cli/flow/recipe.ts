import type { ErrorCode } from '@millrace/shared/errors';
import type { LineFault } from '../line-fault.ts';
import type { Row } from '../writers/row-format.ts';

/** What a record gives. */
export type ReadItem<Item> = { readonly item: Item; readonly id: unknown } | LineFault;

/** How the records of a file become tasks, and the outputs of tasks rows. */
export interface Recipe<Item> {
  readonly type: string;
  /** Where a task has its items, as problems name it, e.g. `input.texts`; undefined when a task is one item. */
  readonly itemsPath: string | undefined;
  /** Codes that are no fault of single records: the run ends with them. */
  readonly fatal: readonly ErrorCode[];
  itemOf(value: unknown): ReadItem<Item>;
  /** Whether one more may go along in a task; `index` is its place among all records. */
  fits(items: readonly Item[], next: Item, index: number): boolean;
  inputOf(items: readonly Item[]): unknown;
  /** One for each item, in order. */
  rowsOf(output: Record<string, unknown>, items: readonly Item[]): readonly Row[];
  /** What has to be the same for all rows, such as the model and its fingerprint; undefined when nothing has. */
  makerOf(output: Record<string, unknown>): string | undefined;
}
