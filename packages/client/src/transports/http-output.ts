import type { Catalog } from '@millrace/shared/tasks/catalog';
import type { TaskView } from '@millrace/shared/tasks/task';
import { noOutputOf } from '../failed-task.ts';

/**
 * The output that came with a task, whose vectors are base64 of little-endian float32: as its type describes it, vectors as rows of
 * float32, which share one block of memory.
 * @throws MillraceError the task's own failure, RESULT_EXPIRED.
 */
export function outputOf(view: TaskView, catalog: Catalog): Record<string, unknown> {
  if (view.state !== 'succeeded' || typeof view.result !== 'object' || view.result === null) throw noOutputOf(view);
  const output = view.result as Record<string, unknown>;
  const field = catalog.get(view.type)?.vectors;
  const rows = field === undefined ? undefined : output[field];
  return field === undefined || !isTexts(rows) ? output : { ...output, [field]: decodeRows(rows) };
}

function decodeRows(rows: readonly string[]): Float32Array[] {
  const lengths = rows.map((row) => Buffer.byteLength(row, 'base64'));
  const block = new ArrayBuffer(lengths.reduce((sum, length) => sum + length, 0));
  let start = 0;
  return rows.map((row, index) => {
    const length = lengths[index] ?? 0;
    Buffer.from(block, start, length).write(row, 'base64');
    start += length;
    return new Float32Array(block, start - length, length / Float32Array.BYTES_PER_ELEMENT);
  });
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((row) => typeof row === 'string');
}
