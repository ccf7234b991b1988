import { count } from '../amounts.ts';
import type { LineFault } from '../line-fault.ts';
import { PositionedFile } from './positioned-file.ts';

/** A record that came to nothing. */
export interface FaultyLine extends LineFault {
  /** Lines of the file, from 1. */
  readonly line: number;
}

/** Where the lines that failed are told. */
export interface FaultSink {
  /** Written so far, in bytes. */
  readonly bytes: number;
  add(faults: readonly FaultyLine[]): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** All of them in a file: a line of JSON each. */
export class FaultFile implements FaultSink {
  private readonly file: PositionedFile;

  private constructor(file: PositionedFile) {
    this.file = file;
  }

  static async open(path: string, keepBytes: number): Promise<FaultFile> {
    return new FaultFile(await PositionedFile.open(path, keepBytes));
  }

  get bytes(): number {
    return this.file.bytes;
  }

  async add(faults: readonly FaultyLine[]): Promise<void> {
    const lines = faults.map(({ line, code, message }) => `${JSON.stringify({ line, code, message })}\n`);
    await this.file.write(Buffer.from(lines.join(''), 'utf8'));
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** So many are told on a terminal; the rest is counted. */
const mostTold = 20;

/** The first of them on stderr. */
export class FaultLines implements FaultSink {
  readonly bytes = 0;
  private readonly say: (text: string) => void;
  private readonly asJson: boolean;
  private told = 0;

  /** `say` prints a line, above a progress bar if there is one. */
  constructor(say: (text: string) => void, { asJson }: { asJson: boolean }) {
    this.say = say;
    this.asJson = asJson;
  }

  async add(faults: readonly FaultyLine[]): Promise<void> {
    for (const fault of faults) {
      this.told += 1;
      // Programs can take them all.
      if (this.asJson || this.told <= mostTold) this.say(this.lineOf(fault));
      else if (this.told === mostTold + 1)
        this.say(`More than ${count(mostTold)} lines failed: --errors FILE keeps them all.`);
    }
  }

  async sync(): Promise<void> {}
  async close(): Promise<void> {}

  private lineOf({ line, code, message }: FaultyLine): string {
    return this.asJson ? JSON.stringify({ line, code, message }) : `line ${count(line)}: ${code}: ${message}`;
  }
}
