import type { TaskRef } from '../tasks/ids.ts';
import type { Family } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** In place of the time of a task whose removal has begun: the oldest of all, so a removal that broke off is done again. */
const removing = -1;

/** Room must be made while Redis is full, too. */
const markRemoved = new Script('mark-removed', { beyondLimit: true });
const listEnded = new Script('list-ended');
const forgetInputs = new Script('forget-inputs', { beyondLimit: true });
/** Data of fewer bytes is not worth forgetting. */
const spareBytes = 256;

/**
 * Who may touch an ended task: either it is removed, or it is tried again, never both. The set of ended tasks decides: removal
 * marks a task there first, and a retry takes it out.
 */
export class EndedTasks {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Marks ended tasks as being removed; those that were taken out meanwhile, or wait again, are left out of the answer. */
  async markRemoved(family: Family, jobIds: readonly string[]): Promise<string[]> {
    const { keys } = this;
    const sets = [keys.ended(family), keys.bull(family, 'completed'), keys.bull(family, 'failed')];
    return (await markRemoved.run(this.redis, sets, [removing, keys.bull(family, ''), ...jobIds])) as string[];
  }

  /** Lists ended tasks, to be remembered until then (ms since 1970); gives how many were not listed. */
  async list(family: Family, jobIds: readonly string[], until: number): Promise<number> {
    if (jobIds.length === 0) return 0;
    return (await listEnded.run(this.redis, [this.keys.ended(family)], [until, ...jobIds])) as number;
  }

  /** Tasks whose result's time ended between two times (ms since 1970), the oldest first. */
  async over(
    family: Family,
    { from, to }: { from: number; to: number },
    count: number,
  ): Promise<{ jobId: string; until: number }[]> {
    const flat = await this.redis.zrangebyscore(this.keys.ended(family), from, to, 'WITHSCORES', 'LIMIT', 0, count);
    return Array.from({ length: flat.length / 2 }, (_, index) => ({
      jobId: flat[index * 2] ?? '',
      until: Number(flat[index * 2 + 1]),
    }));
  }

  /** Puts other data in place of that of tasks whose result's time is over; gives how many had more than that. */
  async forgetInputs(family: Family, spent: readonly { jobId: string; data: string }[], now: number): Promise<number> {
    const { keys } = this;
    const sets = [keys.ended(family), keys.bull(family, 'completed'), keys.bull(family, 'failed')];
    const jobs = spent.map(({ jobId }) => keys.bull(family, jobId));
    const args = spent.flatMap(({ jobId, data }) => [jobId, data]);
    return (await forgetInputs.run(this.redis, [...sets, ...jobs], [now, spareBytes, ...args])) as number;
  }

  /** Takes a task out, so that it is not removed; false when its removal has begun. */
  async takeOut({ family, jobId }: TaskRef): Promise<boolean> {
    const ended = this.keys.ended(family);
    const replies = await this.redis.multi().zscore(ended, jobId).zrem(ended, jobId).exec();
    for (const [error] of replies ?? []) if (error !== null) throw error;
    if (Number(replies?.[0]?.[1] ?? 0) !== removing) return true;
    await this.redis.zadd(ended, removing, jobId);
    return false;
  }

  /** Until when the result of a task is kept, in ms since 1970; undefined when nobody said. */
  async keptUntil({ family, jobId }: TaskRef): Promise<number | undefined> {
    const score = await this.redis.zscore(this.keys.ended(family), jobId);
    return score === null ? undefined : Number(score);
  }
}
