import type { LineFault } from '../line-fault.ts';

/** What was computed for a record. */
export interface Row {
  /** Of an embedding; undefined for other outputs. */
  readonly vector: Float32Array | undefined;
  /** What else there is to say, by name; any JSON. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A record whose row is known, or why it has none. */
export interface SettledRecord {
  /** Its place among the records, from 0. */
  readonly index: number;
  /** What the input calls it; undefined when nothing does. */
  readonly id: unknown;
  readonly outcome: Row | LineFault;
}

/** Where a format stands, so that another process can go on; JSON. */
export interface FormatState {
  readonly rows: number;
  /** Numbers of a vector; undefined while none has come. */
  readonly dimensions: number | undefined;
}

/** How rows become bytes, one after the other. */
export interface RowFormat {
  readonly state: FormatState;
  /** The bytes of the next records, in order. @throws Refusal when a row does not go with those before. */
  encode(records: readonly SettledRecord[]): Uint8Array;
  /** What is written over the beginning once there are no more; empty when nothing is. */
  finalHead(): Uint8Array;
}

export function isRow(outcome: Row | LineFault): outcome is Row {
  return 'fields' in outcome;
}
