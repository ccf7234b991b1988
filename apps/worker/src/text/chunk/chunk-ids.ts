import { createHash } from 'node:crypto';

/** Hexadecimal digits of an id: 128 bits. */
const idDigits = 32;

/**
 * The ids of a document's chunks, in order: a hash of the tokenizer and the text of the chunk, and for texts that come again how often
 * they came before. Nothing else of the document is in them.
 */
export class ChunkIds {
  private readonly tokenizer: string;
  private readonly seen = new Map<string, number>();

  constructor(tokenizer: string) {
    this.tokenizer = tokenizer;
  }

  next(text: string): string {
    // UTF-16, for in UTF-8 all halves of surrogate pairs are the same.
    const id = hash(this.tokenizer, text);
    const before = this.seen.get(id) ?? 0;
    this.seen.set(id, before + 1);
    return before === 0 ? id : hash(`${this.tokenizer} ${before}`, text);
  }
}

function hash(about: string, text: string): string {
  return createHash('sha256').update(`${about}\n`).update(text, 'utf16le').digest('hex').slice(0, idDigits);
}
