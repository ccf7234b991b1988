import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Bytes that are read at a time. */
const chunkBytes = 1 << 20;

/** A file that was read once, from its beginning to its end. */
export interface ReadFile {
  /** SHA-256, in hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Whether the words that were looked for are in it. */
  readonly found: boolean;
}

/** Hashes a file, and looks on the way whether `words` (ASCII) are in it. */
export async function readThrough(file: string, words?: string): Promise<ReadFile> {
  const hash = createHash('sha256');
  const overlap = (words?.length ?? 1) - 1;
  let bytes = 0;
  let found = false;
  let tail = Buffer.alloc(0);
  for await (const part of createReadStream(file, { highWaterMark: chunkBytes })) {
    const chunk = part as Buffer;
    hash.update(chunk);
    bytes += chunk.length;
    if (words === undefined || found) continue;
    // What may begin in one chunk and end in the next.
    const seam = Buffer.concat([tail, chunk.subarray(0, overlap)]);
    found = chunk.includes(words) || seam.includes(words);
    tail = Buffer.concat([tail, chunk]).subarray(-overlap);
  }
  return { sha256: hash.digest('hex'), bytes, found };
}
