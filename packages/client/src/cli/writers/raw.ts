import type { FormatState, RowFormat, SettledRecord } from './row-format.ts';
import { VectorRows } from './vector-rows.ts';

/** float32, little-endian, row after row, and nothing else. */
export class RawFormat implements RowFormat {
  private readonly rows: VectorRows;

  constructor(state: FormatState) {
    this.rows = new VectorRows(state);
  }

  get state(): FormatState {
    return this.rows.state;
  }

  encode(records: readonly SettledRecord[]): Uint8Array {
    return this.rows.encode(records);
  }

  finalHead(): Uint8Array {
    return new Uint8Array();
  }
}
