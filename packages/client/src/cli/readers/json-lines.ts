import { everyLine, RecordCutter } from './record-cutter.ts';
import type { RawRecord, RecordReader } from './record-reader.ts';
import { textOf } from './record-text.ts';

const blank = /^[\t\r ]*$/;

/** Every line is a JSON value; blank ones are no records. */
export function jsonLines(): RecordReader {
  return {
    unit: 'line',
    async *records(chunks) {
      for await (const records of new RecordCutter(everyLine).cut(chunks)) yield records.filter(isNotBlank);
    },
    read(record) {
      const decoded = textOf(record);
      if ('problem' in decoded) return decoded;
      try {
        return { value: JSON.parse(decoded.text) };
      } catch (error) {
        return { problem: `not JSON: ${(error as Error).message}` };
      }
    },
  };
}

function isNotBlank({ bytes }: RawRecord): boolean {
  // Long ones are not blank, and need no look.
  return bytes === undefined || bytes.length > 64 || !blank.test(bytes.toString('latin1'));
}
