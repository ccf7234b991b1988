import { mostRecordBytes, type RawRecord } from './record-reader.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Finds where records end. */
export interface EndFinder {
  /** The index of the line feed that ends the record, from `from` on; -1 when the chunk goes on behind it. */
  nextEnd(chunk: Buffer, from: number): number;
  /** A record has ended, or the input. */
  reset(): void;
}

/** Every line feed ends a record. */
export const everyLine: EndFinder = {
  nextEnd: (chunk, from) => chunk.indexOf(lineFeed, from),
  reset: () => {},
};

/** Cuts chunks at the ends of records, whatever chunk they are in; what is too long is let go as it comes. */
export class RecordCutter {
  private readonly finder: EndFinder;
  private parts: Buffer[] = [];
  private held = 0;
  private tooLong = false;
  private line = 1;
  private linesInside = 0;
  private seen = 0;

  constructor(finder: EndFinder) {
    this.finder = finder;
  }

  async *cut(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly RawRecord[], void, undefined> {
    for await (const chunk of chunks) {
      const records = this.take(chunk);
      if (records.length > 0) yield records;
    }
    if (this.held > 0 || this.tooLong) yield [this.finish()];
  }

  private take(chunk: Buffer): RawRecord[] {
    const records: RawRecord[] = [];
    const before = this.seen;
    let from = 0;
    for (;;) {
      const end = this.finder.nextEnd(chunk, from);
      if (end === -1) break;
      this.hold(chunk.subarray(from, end + 1));
      this.seen = before + end + 1;
      records.push(this.finish());
      from = end + 1;
    }
    this.hold(chunk.subarray(from));
    this.seen = before + chunk.length;
    return records;
  }

  private hold(part: Buffer): void {
    for (let at = part.indexOf(lineFeed); at !== -1; at = part.indexOf(lineFeed, at + 1)) this.linesInside += 1;
    if (part.length === 0 || this.tooLong) return;
    this.held += part.length;
    if (this.held > mostRecordBytes) {
      this.tooLong = true;
      this.parts = [];
    } else this.parts.push(part);
  }

  private finish(): RawRecord {
    const bytes = this.tooLong ? undefined : trimmed(this.joined(), this.line === 1);
    const record = { line: this.line, end: this.seen, bytes };
    this.line += this.linesInside;
    this.linesInside = 0;
    this.parts = [];
    this.held = 0;
    this.tooLong = false;
    this.finder.reset();
    return record;
  }

  private joined(): Buffer {
    const [only] = this.parts;
    return this.parts.length === 1 && only !== undefined ? only : Buffer.concat(this.parts);
  }
}

/** Without its line break, and without the mark that some programs put in front of a file. */
function trimmed(bytes: Buffer, isFirst: boolean): Buffer {
  const start = isFirst && bytes.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
  let end = bytes.length;
  if (end > start && bytes[end - 1] === lineFeed) end -= 1;
  if (end > start && bytes[end - 1] === carriageReturn) end -= 1;
  return bytes.subarray(start, end);
}
