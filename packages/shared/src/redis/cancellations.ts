import type { TaskRef } from '../tasks/ids.ts';
import { type Family, families } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';

/** A wish to cancel is kept this long: longer than a task of a dead worker takes to be pulled again; ms. */
const keptMs = 10 * 60_000;

/**
 * Wishes to cancel tasks that workers hold. They lie in a set, which every worker looks at once a second and at each message
 * of a channel: the message makes it quick, the set makes it sure.
 */
export class Cancellations {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Asks whichever worker holds the task, or pulls it next, to end it. */
  async request({ family, jobId }: TaskRef, now: number): Promise<void> {
    await this.redis
      .multi()
      .zadd(this.keys.cancellations(family), now + keptMs, jobId)
      .publish(this.keys.cancelChannel, family)
      .exec();
  }

  /** The jobs of a family that are to be cancelled; wishes that are too old go. */
  async pending(family: Family, now: number): Promise<string[]> {
    const key = this.keys.cancellations(family);
    await this.redis.zremrangebyscore(key, '-inf', now);
    return await this.redis.zrange(key, '0', '-1');
  }

  /**
   * Takes a wish back, so that the task can be tried again. Workers remember the wishes that they have seen: they are told to look
   * anew when there was one, or it `wasMet` a moment ago.
   */
  async withdraw({ family, jobId }: TaskRef, wasMet: boolean): Promise<void> {
    const removed = await this.redis.zrem(this.keys.cancellations(family), jobId);
    if (removed === 1 || wasMet) await this.redis.publish(this.keys.cancelChannel, family);
  }

  /** Forgets a wish that was fulfilled. */
  async forget({ family, jobId }: TaskRef): Promise<void> {
    await this.redis.zrem(this.keys.cancellations(family), jobId);
  }
}

/** Calls back with a family whenever somebody cancels a task of it; needs a connection of the role `blocking`. */
export async function onCancelRequest(redis: Redis, keys: Keys, callback: (family: Family) => void): Promise<void> {
  redis.on('message', (_channel, message) => {
    const family = families.find((name) => name === message);
    if (family !== undefined) callback(family);
  });
  await redis.subscribe(keys.cancelChannel);
}
