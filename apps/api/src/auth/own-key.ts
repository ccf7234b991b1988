import { createHash, randomBytes } from 'node:crypto';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';

/** A key that the API makes for itself when it is reachable from other machines and nobody gave it keys. */
export interface OwnKey {
  readonly key: string;
  readonly hash: string;
}

export function makeOwnKey(): OwnKey {
  const key = `mill_${randomBytes(24).toString('base64url')}`;
  return { key, hash: createHash('sha256').update(key).digest('hex') };
}

/**
 * Settles which key holds: the first that any API of this mill stored. The hash is ours when ours came first, also if the reply
 * to an earlier try was lost.
 * @throws MillraceError REDIS_UNAVAILABLE.
 */
export async function storeOwnKey(
  redis: Redis,
  redisKey: string,
  made: OwnKey,
): Promise<{ hash: string; isOurs: boolean }> {
  await withRedis(() => redis.set(redisKey, made.hash, 'NX'));
  const hash = (await withRedis(() => redis.get(redisKey))) ?? made.hash;
  return { hash, isOurs: hash === made.hash };
}
