import { isUtf8 } from 'node:buffer';
import type { RunCursor } from '@millrace/shared/redis/run-record';
import { rawLines } from '../bulk/lines.ts';
import type { FileStore } from '../files/file-store.ts';

/** Bytes that are asked of the store at once. Nothing is held open between, for a run may wait for hours before it reads on. */
const readAtOnce = 2 ** 20;

/** A line of an input that is not blank. */
export interface InputLine {
  /** Counts from 1, blank lines included. */
  readonly number: number;
  /** The place behind it. */
  readonly end: RunCursor;
  readonly text: string | undefined;
  /** Why there is no text. */
  readonly fault: 'too_long' | 'not_utf8' | undefined;
}

interface InputParams {
  readonly store: FileStore;
  readonly file: string;
  /** How long the file is, in bytes. */
  readonly bytes: number;
  readonly from: RunCursor;
  /** The longest line that is read, in bytes. */
  readonly longest: number;
}

/** The lines of a file from a place on, in batches; read as fast as they are taken. */
export async function* inputLines(params: InputParams): AsyncGenerator<InputLine[]> {
  let { line: number, byte } = params.from;
  for await (const batch of rawLines(bytesFrom(params), params.longest)) {
    const lines: InputLine[] = [];
    for (const { bytes, content } of batch) {
      number += 1;
      byte += bytes;
      const end = { line: number, byte };
      if (content === undefined) lines.push({ number, end, text: undefined, fault: 'too_long' });
      else if (!isUtf8(content)) lines.push({ number, end, text: undefined, fault: 'not_utf8' });
      else lines.push({ number, end, text: content.toString('utf8').trim(), fault: undefined });
    }
    yield lines.filter(({ text }) => text !== '');
  }
}

async function* bytesFrom({ store, file, bytes, from }: InputParams): AsyncGenerator<Uint8Array> {
  for (let start = from.byte; start < bytes; start += readAtOnce) {
    const end = Math.min(start + readAtOnce, bytes);
    const pieces: Buffer[] = await (await store.read(file, { start, end })).toArray();
    yield Buffer.concat(pieces);
  }
}
