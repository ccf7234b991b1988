import { type FormatState, isRow, type Row, type RowFormat, type SettledRecord } from './row-format.ts';

/** Digits that bring back the very same float32, whatever it is (IEEE 754 binary32). */
const float32Digits = 9;

/** A line of JSON for each record that has a row: its index, its id, then what was computed. */
export class JsonLinesFormat implements RowFormat {
  private rows: number;

  constructor({ rows }: FormatState) {
    this.rows = rows;
  }

  get state(): FormatState {
    return { rows: this.rows, dimensions: undefined };
  }

  encode(records: readonly SettledRecord[]): Uint8Array {
    let text = '';
    for (const { index, id, outcome } of records) {
      this.rows += 1;
      if (isRow(outcome)) text += lineOf({ index, id, row: outcome });
    }
    return Buffer.from(text, 'utf8');
  }

  finalHead(): Uint8Array {
    return new Uint8Array();
  }
}

function lineOf({ index, id, row }: { index: number; id: unknown; row: Row }): string {
  const head = JSON.stringify({ index, ...(id === undefined ? {} : { id }), ...row.fields }, vectorsAsNumbers);
  return row.vector === undefined ? `${head}\n` : `${head.slice(0, -1)},"embedding":${numbersOf(row.vector)}}\n`;
}

/**
 * As short as JSON.stringify is quick: that would write each number as the float64 that it is not, with 17 digits. Nine are
 * exact for float32.
 */
function numbersOf(vector: Float32Array): string {
  let text = '';
  for (const value of vector)
    text += `${text === '' ? '[' : ','}${Number.isFinite(value) ? value.toPrecision(float32Digits) : 'null'}`;
  return `${text || '['}]`;
}

function vectorsAsNumbers(_key: string, value: unknown): unknown {
  return value instanceof Float32Array ? Array.from(value) : value;
}
