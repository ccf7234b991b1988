import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TaskResult } from '@millrace/client/read';
import { unpackVectors, type VectorBlock } from '@millrace/shared/redis/results';
import type { TaskView } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import { printable } from './float32-text.ts';

/** How vectors stand in JSON. */
export const encodingSchema = z
  .enum(['array', 'base64'])
  .default('array')
  .meta({ description: 'Vectors as arrays of numbers, or as base64 of little-endian float32, one string a row.' });
export type VectorEncoding = z.infer<typeof encodingSchema>;

/** Numbers that are printed before others have their turn: about 10 ms. */
const numbersPerTurn = 65_536;

/** A task as JSON, with its result when there is one. */
export async function taskText(
  view: TaskView,
  result: TaskResult | undefined,
  encoding: VectorEncoding,
): Promise<string> {
  const text = JSON.stringify(view);
  if (result === undefined) return text;
  return `${text.slice(0, -1)},"result":${await resultText(result, encoding)}}`;
}

/** The output of a task as JSON. Vectors go from Redis' bytes to text row by row, never through arrays of arrays. */
export async function resultText(
  { output, vectorsField, vectors }: Omit<TaskResult, 'view'>,
  encoding: VectorEncoding,
): Promise<string> {
  const others = JSON.stringify(output);
  if (vectorsField === null || vectors === undefined) return others;
  const rows = encoding === 'base64' ? base64Rows(vectors) : await arrayRows(vectors);
  const field = `${JSON.stringify(vectorsField)}:[${rows.join(',')}]`;
  return others === '{}' ? `{${field}}` : `{${field},${others.slice(1)}`;
}

function base64Rows({ bytes, rows, dimensions }: VectorBlock): string[] {
  const length = dimensions * 4;
  return Array.from({ length: rows }, (_, row) => `"${bytes.toString('base64', row * length, (row + 1) * length)}"`);
}

async function arrayRows(vectors: VectorBlock): Promise<string[]> {
  const texts: string[] = [];
  let printed = 0;
  for (const row of unpackVectors(vectors)) {
    texts.push(JSON.stringify(Array.from(row, printable)));
    printed += row.length;
    if (printed < numbersPerTurn) continue;
    printed = 0;
    await nextTurn();
  }
  return texts;
}
