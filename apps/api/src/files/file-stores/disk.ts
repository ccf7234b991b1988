import { randomUUID } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { MillraceError } from '@millrace/shared/errors';
import { syncFolder } from '@millrace/shared/sync-folder';
import { type ByteRange, type ByteSource, CountedBytes, type FileStore, type StoredFile } from '../file-store.ts';

/** What is not whole yet is named so. */
const draftPrefix = '.draft-';
/** Bytes read from disk at once. */
const readAtOnce = 256 * 1024;
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Files in one folder: written beside it, synced, then moved to their name. */
export class DiskStore implements FileStore {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async put(name: string, source: ByteSource): Promise<number> {
    const draft = path.join(this.folder, `${draftPrefix}${randomUUID()}`);
    const counted = new CountedBytes(source);
    try {
      await this.blaming(() => mkdir(this.folder, { recursive: true }));
      await this.write(draft, counted);
      await this.blaming(() => rename(draft, this.place(name)));
      await this.blaming(() => syncFolder(this.folder));
      return counted.total;
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw error;
    }
  }

  async read(name: string, range?: ByteRange): Promise<Readable> {
    if (range !== undefined && range.end <= range.start) return Readable.from([]);
    const handle = await this.blaming(() => open(this.place(name)), name);
    const bounds = range === undefined ? {} : { start: range.start, end: range.end - 1 };
    return handle.createReadStream({ ...bounds, highWaterMark: readAtOnce });
  }

  async size(name: string): Promise<number | undefined> {
    try {
      return (await stat(this.place(name))).size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw this.blame(error, name);
    }
  }

  async delete(name: string): Promise<void> {
    await this.blaming(() => rm(this.place(name), { force: true }));
  }

  async *list(prefix: string): AsyncGenerator<StoredFile> {
    for await (const name of this.names()) {
      if (!name.startsWith(prefix) || name.startsWith(draftPrefix)) continue;
      const storedAt = await this.writtenAt(name);
      if (storedAt !== undefined) yield { name, storedAt };
    }
  }

  async clearTorn(time: number): Promise<number> {
    let cleared = 0;
    for await (const name of this.names()) {
      if (!name.startsWith(draftPrefix)) continue;
      const writtenAt = await this.writtenAt(name);
      if (writtenAt === undefined || writtenAt >= time) continue;
      await this.delete(name);
      cleared += 1;
    }
    return cleared;
  }

  /** The source's own errors pass as they are; what the disk refuses is the storage's fault. */
  private async write(file: string, source: ByteSource): Promise<void> {
    const handle = await this.blaming(() => open(file, 'wx'));
    try {
      for await (const piece of source) await this.blaming(() => handle.appendFile(piece));
      await this.blaming(() => handle.sync());
    } finally {
      await handle.close();
    }
  }

  private async *names(): AsyncGenerator<string> {
    try {
      for await (const entry of await opendir(this.folder)) if (entry.isFile()) yield entry.name;
    } catch (error) {
      // Nothing was ever put there.
      if (codeOf(error) !== 'ENOENT') throw this.blame(error);
    }
  }

  /** Undefined for what has gone meanwhile. */
  private async writtenAt(name: string): Promise<number | undefined> {
    try {
      return (await stat(this.place(name))).mtimeMs;
    } catch {
      return undefined;
    }
  }

  private place(name: string): string {
    return path.join(this.folder, name);
  }

  private async blaming<T>(act: () => Promise<T>, name?: string): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw this.blame(error, name);
    }
  }

  private blame(error: unknown, name?: string): MillraceError {
    const code = codeOf(error);
    const message = `${this.folder}: ${error instanceof Error ? error.message : String(error)}`;
    if (code === 'ENOENT' && name !== undefined)
      return new MillraceError('FILE_NOT_FOUND', `There is no ${name}.`, { cause: error });
    if (full.has(code)) return new MillraceError('STORAGE_FULL', message, { cause: error, retryAfterMs: 60_000 });
    return new MillraceError('STORAGE_UNAVAILABLE', message, { cause: error, retryAfterMs: 5000 });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
