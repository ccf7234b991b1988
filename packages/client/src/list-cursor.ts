import { MillraceError } from '@millrace/shared/errors';
import type { IndexPosition } from '@millrace/shared/redis/task-index';
import { type Family, families } from '@millrace/shared/tasks/task';

/** A place in the list of all families. */
export interface ListPosition extends IndexPosition {
  readonly family: Family;
}

/** A place as a text that says nothing to who carries it. */
export function formatCursor({ createdAt, family, jobId }: ListPosition): string {
  return Buffer.from(JSON.stringify([createdAt, family, jobId])).toString('base64url');
}

/** @throws MillraceError INVALID_REQUEST. */
export function parseCursor(cursor: string): ListPosition {
  const [createdAt, name, jobId] = decode(cursor);
  const family = families.find((known) => known === name);
  if (family !== undefined && typeof createdAt === 'number' && typeof jobId === 'string') {
    return { createdAt, family, jobId };
  }
  const remedy = 'Use the cursor of the page before, or none.';
  const problem = { path: 'query.cursor', got: JSON.stringify(cursor.slice(0, 40)), expected: 'a cursor', remedy };
  throw new MillraceError('INVALID_REQUEST', 'The cursor is not one that a list gave.', { problems: [problem] });
}

function decode(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
