import { everyLine, RecordCutter } from './record-cutter.ts';
import type { RecordReader } from './record-reader.ts';
import { textOf } from './record-text.ts';

/** Every line is a text. */
export function plainLines(): RecordReader {
  return {
    unit: 'line',
    records: (chunks) => new RecordCutter(everyLine).cut(chunks),
    read(record) {
      const decoded = textOf(record);
      return 'problem' in decoded ? decoded : { value: decoded.text };
    },
  };
}
