import type { Readable } from 'node:stream';

/** Some bytes of a file: from `start` up to, and without, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A file as a store lists it. */
export interface StoredFile {
  readonly name: string;
  /** When it was put there, ms since 1970. */
  readonly storedAt: number;
}

/** Bytes that come piece by piece. */
export type ByteSource = AsyncIterable<Uint8Array>;

/**
 * Where the bytes of files lie. A file is there whole or not at all: what breaks off in the middle of `put` is never seen. Names
 * are made by Millrace (letters, digits, `.`, `_`, `-`), never by who uploads. Nothing here knows of runs or of Redis.
 *
 * Every method throws MillraceError STORAGE_FULL or STORAGE_UNAVAILABLE when the storage is to blame.
 */
export interface FileStore {
  /**
   * Stores a file, in place of one of that name; resolves with its bytes when they are safe. What the source throws is thrown on,
   * and leaves the store as it was.
   */
  put(name: string, source: ByteSource): Promise<number>;
  /** Reads a file or a range of it, as fast as it is taken. @throws MillraceError FILE_NOT_FOUND. */
  read(name: string, range?: ByteRange): Promise<Readable>;
  /** The bytes of a file; undefined when it is not there. */
  size(name: string): Promise<number | undefined>;
  /** Deletes a file; one that is not there is as good. */
  delete(name: string): Promise<void>;
  /** Every file whose name begins so, in any order. */
  list(prefix: string): AsyncIterable<StoredFile>;
  /** Removes what puts left behind that began before `time` (ms since 1970) and broke off; gives how many. */
  clearTorn(time: number): Promise<number>;
}

/** What a source gives, counted. */
export class CountedBytes implements ByteSource {
  total = 0;
  private readonly source: ByteSource;

  constructor(source: ByteSource) {
    this.source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const piece of this.source) {
      this.total += piece.byteLength;
      yield piece;
    }
  }
}
