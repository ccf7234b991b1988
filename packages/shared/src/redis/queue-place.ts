import type { TaskRef } from '../tasks/ids.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';

/** Where a task stands in its queue. */
export interface QueuePlace {
  /** Waiting tasks whose turn is before; undefined when the task does not wait at a priority. */
  readonly ahead: { readonly moreUrgent: number; readonly samePriority: number } | undefined;
  readonly paused: boolean;
  /** Tasks of the family that workers hold. */
  readonly running: number;
}

/** BullMQ scores a job by its priority x 2^32 + a counter. */
const classWidth = 2 ** 32;

/** One look at a place; it moves with every task that is begun. */
export async function readQueuePlace(
  { redis, keys }: { redis: Redis; keys: Keys },
  { family, jobId }: TaskRef,
): Promise<QueuePlace> {
  const prioritized = keys.bull(family, 'prioritized');
  const [score, rank, returning, paused, running] = await Promise.all([
    redis.zscore(prioritized, jobId),
    redis.zrank(prioritized, jobId),
    // Tasks of dead workers, on their way back to their priority.
    redis.llen(keys.bull(family, 'wait')),
    redis.hexists(keys.bull(family, 'meta'), 'paused'),
    redis.llen(keys.bull(family, 'active')),
  ]);
  const common = { paused: paused === 1, running };
  if (score === null || rank === null) return { ahead: undefined, ...common };
  const classStart = Math.floor(Number(score) / classWidth) * classWidth;
  const moreUrgent = await redis.zcount(prioritized, '-inf', `(${classStart}`);
  return { ahead: { moreUrgent: moreUrgent + returning, samePriority: Math.max(0, rank - moreUrgent) }, ...common };
}
