import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { exitCodes } from '../exit-codes.ts';
import { Refusal } from '../refusal.ts';

/** Bytes read at once: a few thousand lines. */
const chunkBytes = 256 * 1024;

/** Where the records come from, read once from beginning to end. */
export interface InputSource {
  readonly name: string;
  /** In bytes, when it is known beforehand. */
  readonly size: number | undefined;
  /** Whether what comes next may be long in coming. */
  readonly isLive: boolean;
  /** Ends early, without an error, once `stopped` is aborted: then what came last may be half a record. */
  chunks(stopped: AbortSignal): AsyncGenerator<Buffer, void, undefined>;
}

/** A file, or stdin for `-`. @throws Refusal when it cannot be read. */
export async function openSource(file: string, stdin: Readable): Promise<InputSource> {
  if (file === '-') {
    return { name: 'stdin', size: undefined, isLive: true, chunks: (stopped) => chunksOf(stdin, stopped, 'stdin') };
  }
  const handle = await openToRead(file);
  const facts = await handle.stat();
  if (facts.isDirectory()) {
    await handle.close();
    throw new Refusal(`${file} is a folder: name a file, or - for stdin.`);
  }
  const isFile = facts.isFile();
  return {
    name: file,
    size: isFile ? facts.size : undefined,
    isLive: !isFile,
    chunks: (stopped) => chunksOf(createReadStream(file, { fd: handle, highWaterMark: chunkBytes }), stopped, file),
  };
}

async function openToRead(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'is not there: check the path',
      EACCES: 'may not be read by this user: check its permissions',
    };
    throw new Refusal(`${file} ${reasons[code] ?? `cannot be read (${code})`}.`, exitCodes.usage, error);
  }
}

async function* chunksOf(
  stream: Readable,
  stopped: AbortSignal,
  name: string,
): AsyncGenerator<Buffer, void, undefined> {
  const stop = () => void stream.destroy();
  if (stopped.aborted) stop();
  stopped.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream) {
      if (stopped.aborted) return;
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    }
  } catch (error) {
    if (stopped.aborted) return;
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new Refusal(`${name} cannot be read any further (${code}).`, exitCodes.brokenOff, error);
  } finally {
    stopped.removeEventListener('abort', stop);
    stream.destroy();
  }
}
