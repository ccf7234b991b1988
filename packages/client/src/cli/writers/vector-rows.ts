import { exitCodes } from '../exit-codes.ts';
import { Refusal } from '../refusal.ts';
import { type FormatState, isRow, type SettledRecord } from './row-format.ts';

const bytesPerNumber = Float32Array.BYTES_PER_ELEMENT;

/** Rows of float32, one for every record: one that failed has NaN throughout, so that row i is record i. */
export class VectorRows {
  rows: number;
  dimensions: number | undefined;

  constructor({ rows, dimensions }: FormatState) {
    this.rows = rows;
    this.dimensions = dimensions;
  }

  get state(): FormatState {
    return { rows: this.rows, dimensions: this.dimensions };
  }

  /** Little-endian, row after row; nothing as long as nobody knows how long a row is. */
  encode(records: readonly SettledRecord[]): Uint8Array {
    const vectors = records.map(({ outcome }) => (isRow(outcome) ? outcome.vector : undefined));
    // Records that failed before the first vector came have no bytes yet.
    const owed = this.dimensions === undefined ? this.rows : 0;
    this.dimensions ??= vectors.find((vector) => vector !== undefined)?.length;
    const { dimensions } = this;
    this.rows += records.length;
    if (dimensions === undefined) return new Uint8Array();
    const block = new Float32Array((owed + vectors.length) * dimensions).fill(Number.NaN);
    for (const [index, vector] of vectors.entries()) {
      if (vector === undefined) continue;
      if (vector.length !== dimensions) throw new Refusal(notLike(vector.length, dimensions), exitCodes.brokenOff);
      block.set(vector, (owed + index) * dimensions);
    }
    return new Uint8Array(block.buffer, 0, block.length * bytesPerNumber);
  }
}

function notLike(got: number, expected: number): string {
  return `A vector has ${got} numbers, those before it ${expected}: the model has changed; begin again with --restart.`;
}
