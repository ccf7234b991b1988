import { createHash } from 'node:crypto';
import type { Family } from '@millrace/shared/tasks/task';

/** Where a task of a run comes from. */
export interface TaskOrigin {
  readonly runId: string;
  /** When the run was created, ms since 1970. */
  readonly createdAt: number;
  /** The line that it begins with. */
  readonly line: number;
  /** Tells the tasks of a line apart. */
  readonly part: string;
  /** Counts how often the result of the same task was lost before it was read. */
  readonly generation: number;
  /** `contentDigest` of what it computes. */
  readonly content: string;
}

/** Stands for what a task computes. */
export function contentDigest({ type, input }: { readonly type: string; readonly input: unknown }): string {
  return createHash('sha256')
    .update(JSON.stringify([type, input]))
    .digest('hex');
}

/** Bits that hold the line; of a longer input the ids only sort less well. */
const lineBits = 28;

/**
 * The id of a task of a run: the same whoever makes it, so that a process that takes a run over meets the tasks of the one before.
 * What it computes is part of it, so an id never stands for something else. A UUIDv8 (RFC 9562): 48 bits of time and 28 of the
 * line, so that tasks of a run sort by age and line as others do by arrival; then 46 bits of a hash of all.
 */
export function runTaskId(family: Family, origin: TaskOrigin): string {
  const { runId, createdAt, line, part, generation, content } = origin;
  const hash = createHash('sha256')
    .update(JSON.stringify([runId, line, part, generation, content]))
    .digest();
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(createdAt, 0, 6);
  hash.copy(bytes, 6, 0, 10);
  const place = line % 2 ** lineBits;
  bytes[6] = 0x80 | (place >>> 24);
  bytes[7] = (place >>> 16) & 0xff;
  bytes[8] = 0x80 | ((place >>> 10) & 0x3f);
  bytes[9] = (place >>> 2) & 0xff;
  bytes[10] = ((place & 0x03) << 6) | ((hash[4] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `${family[0]}-${groups.join('-')}`;
}
