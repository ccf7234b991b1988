import type { FormatState, RowFormat, SettledRecord } from './row-format.ts';
import { VectorRows } from './vector-rows.ts';

/** A multiple of 64, as the format wants, with room for any number of rows. */
const headBytes = 128;
const magic = Buffer.from('\x93NUMPY\x01\x00', 'latin1');

/**
 * NumPy's format 1.0 (numpy.lib.format): a head that says the type and shape, then float32 in C order. How many rows there are is known
 * last, so the head is written twice.
 */
export class NpyFormat implements RowFormat {
  private readonly rows: VectorRows;

  constructor(state: FormatState) {
    this.rows = new VectorRows(state);
  }

  get state(): FormatState {
    return this.rows.state;
  }

  encode(records: readonly SettledRecord[]): Uint8Array {
    const isBegun = this.rows.dimensions !== undefined;
    const block = this.rows.encode(records);
    return isBegun || this.rows.dimensions === undefined ? block : Buffer.concat([this.finalHead(), block]);
  }

  finalHead(): Uint8Array {
    const { rows, dimensions = 0 } = this.rows.state;
    const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`;
    const head = Buffer.alloc(headBytes, ' ');
    magic.copy(head);
    head.writeUInt16LE(headBytes - magic.length - 2, magic.length);
    head.write(description, magic.length + 2, 'latin1');
    head.write('\n', headBytes - 1, 'latin1');
    return head;
  }
}
