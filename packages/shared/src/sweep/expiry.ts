import type { Redis } from '../redis/connection.ts';
import { endWaiting } from '../redis/end-waiting.ts';
import type { Keys } from '../redis/keys.ts';
import { isOutOfMemory } from '../redis/memory-limit.ts';
import { type Family, families } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

/** Tasks ended in one round and family. */
const endedPerRound = 500;
/** A task that was held when its time was over is looked at again after this: its worker may give it back, or die; ms. */
const againMs = 10_000;

interface ExpiryParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly now: () => number;
}

/** Ends waiting tasks whose time to start is over, even if no worker lives. Those that run are let be. */
export function expiryDuty(params: ExpiryParams): Duty {
  return {
    name: 'expiry',
    everyMs: 1000,
    run: async () => {
      const ended = await Promise.all(families.map((family) => sweepFamily(params, family)));
      return ended.reduce((sum, count) => sum + count, 0);
    },
  };
}

async function sweepFamily({ redis, keys, now }: ExpiryParams, family: Family): Promise<number> {
  const expiring = keys.expiring(family);
  const jobIds = await redis.zrangebyscore(expiring, '-inf', now(), 'LIMIT', 0, endedPerRound);
  if (jobIds.length === 0) return 0;
  const end = { code: 'EXPIRED', message: 'It was not started in time.', now: now() } as const;
  const replies = await Promise.all(jobIds.map((jobId) => endWaiting({ redis, keys }, { family, jobId }, end)));
  const busy = jobIds.filter((_, index) => replies[index] === 'not-waiting');
  const held = await stillHeld(redis, keys.ended(family), busy);
  const done = jobIds.filter((jobId) => !held.has(jobId));
  if (done.length > 0) await redis.zrem(expiring, ...done);
  await postpone(
    redis,
    expiring,
    [...held].flatMap((jobId) => [now() + againMs, jobId]),
  );
  return replies.filter((reply) => reply === 'ended').length;
}

/** Of tasks that do not wait, those that have not ended either. */
async function stillHeld(redis: Redis, ended: string, jobIds: readonly string[]): Promise<Set<string>> {
  const scores = await Promise.all(jobIds.map((jobId) => redis.zscore(ended, jobId)));
  return new Set(jobIds.filter((_, index) => scores[index] === null));
}

async function postpone(redis: Redis, expiring: string, scored: readonly (number | string)[]): Promise<void> {
  if (scored.length === 0) return;
  try {
    await redis.zadd(expiring, 'XX', ...scored);
  } catch (error) {
    // Redis is full: they are looked at again with the next round.
    if (!isOutOfMemory(error)) throw error;
  }
}
