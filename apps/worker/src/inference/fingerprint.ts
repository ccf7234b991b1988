import { createHash } from 'node:crypto';
import type { ModelFolder } from '../models/model-folder.ts';
import { kernelClass } from './kernel-class.ts';

/**
 * What a model's results depend on, as one word: its files, which of them is loaded, what runs it and on what kind of CPU, and
 * `facts`, in which one use of it differs from another.
 */
export function fingerprintOf(
  { filesHash, dtype }: ModelFolder,
  runtime: string,
  facts: Readonly<Record<string, unknown>>,
): string {
  const all = { files: filesHash, dtype, runtime, kernel: kernelClass(), ...facts };
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 32);
}
