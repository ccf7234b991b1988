import { type ErrorCode, formatFailedReason } from '../errors.ts';
import type { TaskRef } from '../tasks/ids.ts';
import { taskDefaults } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

const endWaitingScript = new Script('end-waiting', { beyondLimit: true });

/** How a waiting task ends without having begun. */
interface WaitingEnd {
  readonly code: Extract<ErrorCode, 'CANCELLED' | 'EXPIRED'>;
  readonly message: string;
  /** ms since 1970. */
  readonly now: number;
}

/**
 * Ends a task that has not begun, as `cancelled` or `expired`; whoever waits for it is told, and it owes nothing any more.
 * @returns `ended`, `not-waiting` (it runs or has ended), or `missing`.
 */
export async function endWaiting(
  { redis, keys }: { redis: Redis; keys: Keys },
  { family, jobId }: TaskRef,
  { code, message, now }: WaitingEnd,
): Promise<'ended' | 'not-waiting' | 'missing'> {
  const sets = ['prioritized', 'wait', 'paused', 'delayed', 'waiting-children', 'failed', 'events'];
  const reply = await endWaitingScript.run(
    redis,
    [...[jobId, ...sets].map((part) => keys.bull(family, part)), keys.ended(family), keys.owed],
    [jobId, formatFailedReason(code, message), now, now + taskDefaults.failedTtlMs, family],
  );
  if (reply === 1) return 'ended';
  return reply === 0 ? 'not-waiting' : 'missing';
}
