import { silentLogger } from '@millrace/shared/logger';
import { connectRedis, disconnectRedis, withRedis } from '@millrace/shared/redis/connection';
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
  const redis = connectRedis({ url: address.redisUrl, role: 'producer', name: 'millrace:plan', log: silentLogger() });
  try {
    const { used, limit } = memoryOf(await withRedis(() => redis.info('memory')));
    return { used, limit: limit === 0 ? undefined : limit };
  } finally {
    await disconnectRedis(redis);
  }
}
