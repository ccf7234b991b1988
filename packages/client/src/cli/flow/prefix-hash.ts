import { createHash } from 'node:crypto';

/** The SHA-256 of the beginning of an input, at any place that has not been passed yet. */
export class PrefixHash {
  private readonly hash = createHash('sha256');
  private readonly ahead: Buffer[] = [];
  private hashed = 0;

  /** The next bytes of the input. They are kept until the place is behind them. */
  push(chunk: Buffer): void {
    this.ahead.push(chunk);
  }

  /** Moves the place to so many bytes from the beginning, or to the end of what has come. Gives where it is. */
  advance(to: number): number {
    for (let [first] = this.ahead; first !== undefined && this.hashed < to; [first] = this.ahead) {
      const part = first.subarray(0, to - this.hashed);
      this.hash.update(part);
      this.hashed += part.length;
      if (part.length === first.length) this.ahead.shift();
      else this.ahead[0] = first.subarray(part.length);
    }
    return this.hashed;
  }

  digest(): string {
    return this.hash.copy().digest('hex');
  }
}
