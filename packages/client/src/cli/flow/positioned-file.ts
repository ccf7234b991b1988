import { type FileHandle, open } from 'node:fs/promises';
import { Refusal } from '../refusal.ts';
import { openFailure, writeFailure } from './write-failure.ts';

/** A file that is written from the front, and cut where another process had stopped. */
export class PositionedFile {
  readonly path: string;
  private readonly handle: FileHandle;
  /** Where the next bytes go. */
  bytes: number;

  private constructor(path: string, handle: FileHandle, bytes: number) {
    this.path = path;
    this.handle = handle;
    this.bytes = bytes;
  }

  /** Opens it anew, or keeps so many bytes of it. @throws Refusal. */
  static async open(path: string, keepBytes: number): Promise<PositionedFile> {
    const handle = await open(path, keepBytes === 0 ? 'w' : 'r+').catch((error) => {
      throw openFailure(path, error);
    });
    try {
      const { size } = await handle.stat();
      if (size < keepBytes) throw new Refusal(`${path} is shorter than it was: begin again with --restart.`);
      await handle.truncate(keepBytes);
      return new PositionedFile(path, handle, keepBytes);
    } catch (error) {
      await handle.close();
      throw error instanceof Refusal ? error : openFailure(path, error);
    }
  }

  /** @throws Refusal with what keeps it from being written. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.writeAt(bytes, this.bytes);
    this.bytes += bytes.length;
  }

  /** Over what is there. */
  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }

  /** Resolves when the disk has what was written. */
  async sync(): Promise<void> {
    try {
      await this.handle.datasync();
    } catch (error) {
      throw writeFailure(this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
