/** A record of an input, as it was cut out of it. */
export interface RawRecord {
  /** Where it begins: lines of the file, from 1. */
  readonly line: number;
  /** Bytes of the input up to its end, with its line break. */
  readonly end: number;
  /** Without the line break; undefined when it is longer than `mostRecordBytes`. */
  readonly bytes: Buffer | undefined;
}

/** What a record says, or why it says nothing. */
export type ReadRecord = { readonly value: unknown } | { readonly problem: string };

/** How records are read out of a format; one for each input, since it may remember what the first line says. */
export interface RecordReader {
  /** What is counted: lines, rows. */
  readonly unit: string;
  /**
   * Cuts an input into records, those of a piece together, and holds no more than one record.
   * @throws Refusal when the input as a whole is not what it should be.
   */
  records(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly RawRecord[], void, undefined>;
  /** The value: a text, or what has named fields. */
  read(record: RawRecord): ReadRecord;
}

/** A longer record is not read: no task takes as much, and memory stays bounded. */
export const mostRecordBytes = 16 * 2 ** 20;
