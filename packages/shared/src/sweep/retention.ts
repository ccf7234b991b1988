import type { TaskQueue } from '../queues.ts';
import type { Redis } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { Family } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

/** Ended tasks of a family that are remembered after their result's time, to answer "expired" instead of "unknown". */
const endedKept = 100_000;
/** But no longer than this, in ms. */
const rememberedMs = 7 * 24 * 3600_000;
/** Jobs removed in one round: a bounded pause for Redis. */
const removedPerRound = 1000;

interface RetentionParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly now: () => number;
}

/**
 * Removes the jobs of ended tasks, never before their result's time: those beyond the newest 100,000, and those that ended
 * their time a week ago. BullMQ's own removeOn* options are not used: they trim everybody's tasks when one of them ends.
 */
export function retentionDuty(params: RetentionParams): Duty {
  return {
    name: 'retention',
    everyMs: 10_000,
    run: async () => {
      const removed = await Promise.all([...params.queues.keys()].map((family) => sweepFamily(params, family)));
      return removed.reduce((sum, count) => sum + count, 0);
    },
  };
}

async function sweepFamily({ redis, keys, queues, now }: RetentionParams, family: Family): Promise<number> {
  const ended = keys.ended(family);
  const over = (await redis.zcard(ended)) - endedKept;
  const [old, surplus] = await Promise.all([
    redis.zrangebyscore(ended, '-inf', now() - rememberedMs, 'LIMIT', 0, removedPerRound),
    over > 0 ? redis.zrangebyscore(ended, '-inf', now(), 'LIMIT', 0, Math.min(over, removedPerRound)) : [],
  ]);
  const jobIds = [...new Set([...old, ...surplus])];
  const queue = queues.get(family);
  if (jobIds.length === 0 || queue === undefined) return 0;
  await Promise.all(jobIds.map((jobId) => queue.remove(jobId)));
  await redis.zrem(ended, ...jobIds);
  return jobIds.length;
}
