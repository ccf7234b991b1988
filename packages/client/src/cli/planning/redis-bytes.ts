import { memoryOf } from '@millrace/shared/redis/memory';
import type { MillAddress } from '../mill-address.ts';

/** What Redis holds at this moment, and may hold, in bytes. */
export interface RedisMemory {
  readonly used: number;
  /** Undefined when it has no maxmemory. */
  readonly limit: number | undefined;
}

/** Looks into the Redis of a mill; undefined where only the API is known. */
export async function redisMemory(address: MillAddress): Promise<RedisMemory | undefined> {
  if (address.way === 'http') return undefined;
  // Only now: whoever wants help does not need a Redis.
  const { silentLogger } = await import('@millrace/shared/logger');
  const { connectRedis, disconnectRedis, withRedis } = await import('@millrace/shared/redis/connection');
  const { readInfo } = await import('@millrace/shared/redis/info');
  const redis = connectRedis({
    ...{ url: address.redisUrl, prefix: address.prefix, log: silentLogger() },
    role: 'producer',
    name: 'millrace:plan',
  });
  try {
    const { used, limit } = memoryOf(await withRedis(() => readInfo(redis, 'memory')));
    return { used, limit: limit === 0 ? undefined : limit };
  } finally {
    await disconnectRedis(redis);
  }
}
