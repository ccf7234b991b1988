import type { Redis } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { HighWater } from '../redis/memory.ts';
import { cacheShare, ResultCache } from '../redis/result-cache.ts';
import { readRoom } from '../redis/room.ts';
import type { Duty } from './sweeper.ts';

const stepsPerRound = 20;

interface ResultCacheParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly highWater: HighWater;
  readonly now: () => number;
}

/**
 * Lets the result cache give way: what it takes above its share of the high-water mark is needed for tasks, and its oldest
 * values go. Also forgets those whose time is over. Says how many it dropped before their time.
 */
export function resultCacheDuty({ redis, keys, highWater, now }: ResultCacheParams): Duty {
  const cache = new ResultCache(redis, keys);
  return {
    name: 'result-cache',
    everyMs: 1000,
    run: async () => {
      if (await cache.isEmpty()) return 0;
      const room = await readRoom(redis, keys, highWater);
      let above = Math.max(0, room.taken - cacheShare * room.highWater);
      let dropped = 0;
      for (let step = 0; step < stepsPerRound; step += 1) {
        const { others, freed, isDone } = await cache.trim(now(), Math.ceil(above));
        dropped += others;
        above = Math.max(0, above - freed);
        if (isDone) break;
      }
      return dropped;
    },
  };
}
