import type { Readable } from 'node:stream';
import { MillraceError } from '@millrace/shared/errors';
import { withRedis } from '@millrace/shared/redis/connection';
import type { FileFacts, FileIndex } from '@millrace/shared/redis/files';
import { isFileId, newFileId } from './file-ids.ts';
import type { ByteSource, FileStore } from './file-store.ts';

interface FilesParams {
  readonly store: FileStore;
  readonly index: FileIndex;
  /** FILES_TTL, in ms. */
  readonly ttlMs: number;
  /** FILE_LIMIT, in bytes. */
  readonly limit: number;
  readonly now: () => number;
}

/** A file that is stored and not yet known to anybody. */
export interface ReceivedFile {
  readonly id: string;
  readonly bytes: number;
}

/** What a file is to be known by. */
interface Naming {
  readonly filename: string;
  readonly purpose: string;
  /** How long it is kept, in ms; FILES_TTL when left out. */
  readonly ttlMs?: number | undefined;
}

/** Which files are listed. */
export interface FilePage {
  readonly after: string | undefined;
  readonly newestFirst: boolean;
  readonly count: number;
  readonly purpose: string | undefined;
}

/** Files whose facts are read in one step of a list. */
const lookedAtOnce = 200;

/**
 * Files with their facts. Bytes come first and facts after them, and go the other way round: whoever sees a file can read it. What
 * a crash leaves between the two is found by the sweeper.
 */
export class Files {
  private readonly params: FilesParams;

  constructor(params: FilesParams) {
    this.params = params;
  }

  /**
   * Stores what a client sends. What comes of it is `keep` or `discard`.
   * @throws MillraceError FILE_TOO_LARGE, STORAGE_FULL, STORAGE_UNAVAILABLE, and what the source throws; nothing is left then.
   */
  async receive(source: ByteSource): Promise<ReceivedFile> {
    const id = newFileId();
    return { id, bytes: await this.params.store.put(id, bounded(source, this.params.limit)) };
  }

  async discard({ id }: ReceivedFile): Promise<void> {
    await this.params.store.delete(id);
  }

  /** Makes a stored file known. @throws MillraceError REDIS_UNAVAILABLE, QUEUE_FULL. */
  async keep({ id, bytes }: ReceivedFile, { filename, purpose, ttlMs }: Naming): Promise<FileFacts> {
    const { index, now } = this.params;
    const createdAt = now();
    const facts = { id, bytes, createdAt, expiresAt: createdAt + (ttlMs ?? this.params.ttlMs), filename, purpose };
    await withRedis(() => index.keep(facts));
    return facts;
  }

  /** @throws MillraceError FILE_NOT_FOUND, REDIS_UNAVAILABLE. */
  async get(id: string): Promise<FileFacts> {
    const { index, now } = this.params;
    const facts = isFileId(id) ? await withRedis(() => index.get(id)) : undefined;
    if (facts === undefined || facts.expiresAt <= now()) throw missing(id);
    return facts;
  }

  /** @throws MillraceError FILE_NOT_FOUND, STORAGE_UNAVAILABLE, REDIS_UNAVAILABLE. */
  async content(id: string): Promise<{ facts: FileFacts; bytes: Readable }> {
    const facts = await this.get(id);
    return { facts, bytes: await this.params.store.read(id) };
  }

  /**
   * Up to `count` files behind one, by their creation; of one purpose if it is given.
   * @throws MillraceError FILE_NOT_FOUND when the one is not there, REDIS_UNAVAILABLE.
   */
  async list({ after, newestFirst, count, purpose }: FilePage): Promise<FileFacts[]> {
    const { index, now } = this.params;
    const listed: FileFacts[] = [];
    for (let behind = after; ; ) {
      const page = { after: behind, newestFirst, count: Math.min(lookedAtOnce, count) };
      const found = await withRedis(() => index.list(page));
      if (found === undefined && behind === after) throw missing(behind ?? '');
      // The last one that was seen has gone since.
      if (found === undefined) return listed;
      const fitting = found.filter((file) => file.expiresAt > now() && (purpose ?? file.purpose) === file.purpose);
      listed.push(...fitting);
      behind = found.at(-1)?.id;
      if (listed.length >= count || behind === undefined) return listed.slice(0, count);
    }
  }

  /** @throws MillraceError FILE_NOT_FOUND, FILE_IN_USE by a run, STORAGE_UNAVAILABLE, REDIS_UNAVAILABLE. */
  async delete(id: string): Promise<void> {
    const dropped = isFileId(id) ? await withRedis(() => this.params.index.drop(id)) : 'missing';
    if (dropped === 'missing') throw missing(id);
    if (dropped === 'in-use') throw new MillraceError('FILE_IN_USE', `A run that has not ended reads the file ${id}.`);
    await this.params.store.delete(id);
  }
}

/** Bytes as they come, and an error as soon as they are too many. */
async function* bounded(source: ByteSource, limit: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.byteLength;
    if (bytes > limit) throw new MillraceError('FILE_TOO_LARGE', `A file may have ${limit} bytes (FILE_LIMIT).`);
    yield piece;
  }
}

function missing(id: string): MillraceError {
  return new MillraceError('FILE_NOT_FOUND', `There is no file ${JSON.stringify(id.slice(0, 100))}.`);
}
