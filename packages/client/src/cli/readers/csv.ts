import { Refusal } from '../refusal.ts';
import { csvEnds, fieldsOf } from './csv-fields.ts';
import { RecordCutter } from './record-cutter.ts';
import type { RawRecord, ReadRecord, RecordReader } from './record-reader.ts';
import { textOf } from './record-text.ts';

interface CsvOptions {
  readonly delimiter: string;
  /** Whether the first row names the columns; otherwise they are called by their numbers, from 1. */
  readonly header: boolean;
  /** Columns that there have to be. */
  readonly wanted: readonly string[];
}

/** Comma-separated values as RFC 4180 has them: every row an object of its fields. */
export class Csv implements RecordReader {
  readonly unit = 'row';
  private readonly options: CsvOptions;
  private columns: readonly string[] | undefined;

  constructor(options: CsvOptions) {
    this.options = options;
  }

  async *records(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly RawRecord[], void, undefined> {
    const { delimiter, header } = this.options;
    for await (const cut of new RecordCutter(csvEnds(delimiter)).cut(chunks)) {
      let records: readonly RawRecord[] = cut.filter(({ bytes }) => bytes === undefined || bytes.length > 0);
      const [first, ...rest] = records;
      if (this.columns === undefined && first !== undefined) {
        this.columns = this.columnsOf(first);
        if (header) records = rest;
      }
      yield records;
    }
  }

  read(record: RawRecord): ReadRecord {
    const fields = this.fieldsOf(record);
    if ('problem' in fields) return fields;
    const columns = this.columns ?? [];
    if (fields.length !== columns.length)
      return { problem: `malformed: ${fields.length} columns instead of ${columns.length}` };
    return { value: Object.fromEntries(columns.map((column, index) => [column, fields[index]])) };
  }

  /** @throws Refusal when the first row is none, or a wanted column is missing. */
  private columnsOf(first: RawRecord): readonly string[] {
    const fields = this.fieldsOf(first);
    if ('problem' in fields) throw new Refusal(`The first row of the CSV is ${fields.problem}.`);
    const columns = this.options.header ? fields : fields.map((_, index) => String(index + 1));
    const missing = this.options.wanted.find((name) => !columns.includes(name));
    if (missing === undefined) return columns;
    const list = columns.map((column) => JSON.stringify(column)).join(', ');
    throw new Refusal(
      `The CSV has no column ${JSON.stringify(missing)}; it has ${list}. Name one of them, and use --no-header when the first row names none.`,
    );
  }

  private fieldsOf(record: RawRecord): readonly string[] | { readonly problem: string } {
    const decoded = textOf(record);
    return 'problem' in decoded ? decoded : fieldsOf(decoded.text, this.options.delimiter);
  }
}
