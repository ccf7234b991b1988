const newline = 0x0a;

/** A line that was longer than allowed; its text is gone. */
export const tooLong = Symbol('too long');
export type Line = string | typeof tooLong;

/**
 * Cuts a stream of bytes into lines and hands on those that each piece of it completes, so that who reads decides how fast more
 * comes. At most one line is held, and none beyond `longest` bytes. (split2 looks through all of an unfinished line again with
 * each piece: 2 s for one of 16 MiB; and it drops lines that are too long without a word.)
 */
export async function* lineBatches(source: AsyncIterable<Buffer>, longest: number): AsyncGenerator<Line[]> {
  const unfinished = new UnfinishedLine(longest);
  for await (const piece of source) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, start)) {
      unfinished.add(piece.subarray(start, end));
      lines.push(unfinished.finish());
      start = end + 1;
    }
    unfinished.add(piece.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (!unfinished.isEmpty) yield [unfinished.finish()];
}

class UnfinishedLine {
  private readonly longest: number;
  private parts: Buffer[] = [];
  private bytes = 0;

  constructor(longest: number) {
    this.longest = longest;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  add(part: Buffer): void {
    this.bytes += part.length;
    if (this.bytes > this.longest) this.parts = [];
    else if (part.length > 0) this.parts.push(part);
  }

  finish(): Line {
    const line = this.bytes > this.longest ? tooLong : Buffer.concat(this.parts).toString('utf8').trim();
    this.parts = [];
    this.bytes = 0;
    return line;
  }
}
