import type { TaskQueue } from '../queues.ts';
import { isRedisUnavailable, type Redis } from '../redis/connection.ts';
import { EndedTasks } from '../redis/ended-tasks.ts';
import { IdempotencyKeys } from '../redis/idempotency-keys.ts';
import type { Keys } from '../redis/keys.ts';
import type { HighWater } from '../redis/memory.ts';
import { PendingWebhooks } from '../redis/pending-webhooks.ts';
import { readRoom } from '../redis/room.ts';
import { TaskIndex } from '../redis/task-index.ts';
import type { Family } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

/** Ended tasks of a family that are remembered after their result's time, to answer "expired" instead of "unknown". */
const endedKept = 100_000;
/** But no longer than this, in ms. */
const rememberedMs = 7 * 24 * 3600_000;
/** Jobs removed in one step: a bounded pause for Redis. */
const removedPerStep = 1000;
const stepsPerRound = 10;
/** Above this share of the high-water mark nothing is remembered beyond its result's time. */
const tightShare = 0.7;

interface RetentionParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly highWater: HighWater;
  readonly now: () => number;
}

/**
 * Removes the jobs of ended tasks, never before their result's time: those beyond the newest 100,000, those that ended their
 * time a week ago, and all when memory is short. BullMQ's own removeOn* options are not used: they trim everybody's tasks when
 * one of them ends.
 */
export function retentionDuty(params: RetentionParams): Duty {
  return {
    name: 'retention',
    everyMs: 2000,
    run: async () => {
      const { taken, highWater } = await readRoom(params.redis, params.keys, params.highWater);
      const kept = taken > tightShare * highWater ? 0 : endedKept;
      const removed = await Promise.all(
        [...params.queues].map(([family, queue]) => sweepFamily(params, { family, queue, kept })),
      );
      return removed.reduce((sum, count) => sum + count, 0);
    },
  };
}

interface FamilySweep {
  readonly family: Family;
  readonly queue: TaskQueue;
  /** How many ended tasks are remembered beyond their result's time. */
  readonly kept: number;
}

async function sweepFamily(params: RetentionParams, sweep: FamilySweep): Promise<number> {
  let removed = 0;
  for (let step = 0; step < stepsPerRound; step += 1) {
    const jobIds = await overdue(params, sweep);
    if (jobIds.length > 0) removed += await removeEndedTasks({ ...params, ...sweep }, jobIds);
    if (jobIds.length < removedPerStep) break;
  }
  return removed;
}

/** What is to go next, the oldest first. */
async function overdue({ redis, keys, now }: RetentionParams, { family, kept }: FamilySweep): Promise<string[]> {
  const ended = keys.ended(family);
  const over = (await redis.zcard(ended)) - kept;
  const [old, surplus] = await Promise.all([
    redis.zrangebyscore(ended, '-inf', now() - rememberedMs, 'LIMIT', 0, removedPerStep),
    over > 0 ? redis.zrangebyscore(ended, '-inf', now(), 'LIMIT', 0, Math.min(over, removedPerStep)) : [],
  ]);
  return [...new Set([...old, ...surplus])];
}

/** Removes ended tasks of a family whose results nobody needs any more; gives how many. Those that wait again stay. */
export async function removeEndedTasks(
  { redis, keys, family, queue }: Pick<RetentionParams, 'redis' | 'keys'> & Pick<FamilySweep, 'family' | 'queue'>,
  candidates: readonly string[],
): Promise<number> {
  const jobIds = await new EndedTasks(redis, keys).markRemoved(family, candidates);
  if (jobIds.length === 0) return 0;
  // Who is to be told of an end is told, also when nobody has come to it yet.
  await new PendingWebhooks(redis, keys).keepEnds(family, jobIds);
  await removeJobs(queue, jobIds);
  await new TaskIndex(redis, keys).remove(family, jobIds);
  await new IdempotencyKeys(redis, keys).forget(family, jobIds);
  await redis.zrem(keys.ended(family), ...jobIds);
  return jobIds.length;
}

async function removeJobs(queue: TaskQueue, jobIds: readonly string[]): Promise<void> {
  const removals = await Promise.allSettled(jobIds.map((jobId) => queue.remove(jobId)));
  for (const removal of removals) {
    // BullMQ refuses to remove what a schedule still counts on: such a job stays, and is forgotten here.
    if (removal.status === 'rejected' && isRedisUnavailable(removal.reason)) throw removal.reason;
  }
}
