import { levels } from './borders.ts';

/** Atoms that there is room for at first. */
const firstRoom = 1024;

/**
 * The pieces that chunks are made of, in order, with the white space between them left out: words, ideographs, parts of long
 * words. Columns of numbers, for there are hundreds of thousands.
 */
export class Atoms {
  length = 0;
  starts = new Int32Array(firstRoom);
  ends = new Int32Array(firstRoom);
  /** Of the border before each. */
  levels = new Uint8Array(firstRoom);
  /** Tokens of all before each, and of all: one more than there are atoms. */
  private sums = new Int32Array(firstRoom + 1);
  /** Borders across which tokens may not add up, counted likewise. */
  private doubts = new Int32Array(firstRoom + 1);

  /** About how many tokens the atoms from one to before another have; exactly as many if `isExact`. */
  tokens(from: number, to: number): number {
    return (this.sums[to] ?? 0) - (this.sums[from] ?? 0);
  }

  /** Whether what stands at both ends, and at every border between, lets tokens add up. */
  isExact(from: number, to: number): boolean {
    return this.doubts[Math.min(to + 1, this.length)] === this.doubts[from];
  }

  /** Where the last atom ends; -1 when there is none. */
  get end(): number {
    return this.length === 0 ? -1 : (this.ends[this.length - 1] ?? 0);
  }

  /** Adds an atom behind a border of level `word`, across which tokens add up, as long as nothing else is said of it. */
  push(start: number, end: number, tokens: number): void {
    const at = this.length;
    if (at === this.starts.length) this.makeRoom();
    this.starts[at] = start;
    this.ends[at] = end;
    this.levels[at] = levels.word;
    // What the tokenizer leaves out weighs something all the same: a chunk is not to be megabytes of it.
    this.sums[at + 1] = (this.sums[at] ?? 0) + (tokens > 0 ? tokens : 1);
    this.doubts[at + 1] = (this.doubts[at] ?? 0) + (tokens > 0 ? 0 : 1);
    this.length = at + 1;
  }

  /** Says what the border before the last atom is like. */
  border(level: number, isDoubtful: boolean): void {
    this.levels[this.length - 1] = level;
    if (isDoubtful) this.doubts[this.length] = (this.doubts[this.length] ?? 0) + 1;
  }

  /** Makes the last atom longer. */
  extend(end: number, tokens: number): void {
    this.ends[this.length - 1] = end;
    this.sums[this.length] = (this.sums[this.length] ?? 0) + tokens;
  }

  private makeRoom(): void {
    const room = this.length * 2;
    this.starts = grown(this.starts, new Int32Array(room));
    this.ends = grown(this.ends, new Int32Array(room));
    this.levels = grown(this.levels, new Uint8Array(room));
    this.sums = grown(this.sums, new Int32Array(room + 1));
    this.doubts = grown(this.doubts, new Int32Array(room + 1));
  }
}

function grown<Column extends Int32Array | Uint8Array>(column: Column, larger: Column): Column {
  larger.set(column);
  return larger;
}
