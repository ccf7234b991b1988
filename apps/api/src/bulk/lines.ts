const newline = 0x0a;

/** A line that was longer than allowed; its text is gone. */
export const tooLong = Symbol('too long');
export type Line = string | typeof tooLong;

/** A line as it lay in a stream. */
export interface RawLine {
  /** How long it was, with its line break. */
  readonly bytes: number;
  /** Without its line break, a view of what was read; undefined when it was longer than allowed. */
  readonly content: Buffer | undefined;
}

/** Cuts a stream of bytes into lines of text, without white space around them; as `rawLines` does. */
export async function* lineBatches(source: AsyncIterable<Buffer>, longest: number): AsyncGenerator<Line[]> {
  for await (const lines of rawLines(source, longest)) {
    yield lines.map(({ content }) => (content === undefined ? tooLong : content.toString('utf8').trim()));
  }
}

/**
 * Cuts a stream of bytes into lines and hands on those that each piece of it completes, so that who reads decides how fast more
 * comes. At most one line is held, and none beyond `longest` bytes. (split2 looks through all of an unfinished line again with
 * each piece: 2 s for one of 16 MiB; and it drops lines that are too long without a word.)
 */
export async function* rawLines(source: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<RawLine[]> {
  const unfinished = new UnfinishedLine(longest);
  for await (const piece of source) {
    const lines: RawLine[] = [];
    let start = 0;
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, start)) {
      unfinished.add(piece.subarray(start, end));
      lines.push(unfinished.finish(1));
      start = end + 1;
    }
    unfinished.add(piece.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (!unfinished.isEmpty) yield [unfinished.finish(0)];
}

class UnfinishedLine {
  private readonly longest: number;
  private parts: Uint8Array[] = [];
  private bytes = 0;

  constructor(longest: number) {
    this.longest = longest;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  add(part: Uint8Array): void {
    this.bytes += part.byteLength;
    if (this.bytes > this.longest) this.parts = [];
    else if (part.byteLength > 0) this.parts.push(part);
  }

  /** `breakBytes`: how long its line break is. */
  finish(breakBytes: number): RawLine {
    const line = { bytes: this.bytes + breakBytes, content: this.bytes > this.longest ? undefined : this.join() };
    this.parts = [];
    this.bytes = 0;
    return line;
  }

  /** Most lines lie in one piece, and need no copy. */
  private join(): Buffer {
    const [part] = this.parts;
    if (part === undefined || this.parts.length > 1) return Buffer.concat(this.parts);
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  }
}
