import { MillraceError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type Redis, withRedis } from './connection.ts';
import { parseInfo } from './info.ts';

const oldestVersion = [5, 0] as const;

/**
 * Refuses a Redis that may throw tasks away (any eviction policy but noeviction) or is too old, and warns of one that keeps
 * nothing on disk. A managed Redis may forbid CONFIG: then INFO has to do.
 * @throws MillraceError REDIS_EVICTS, CONFIG_INVALID (too old), REDIS_UNAVAILABLE.
 */
export async function checkRedis(redis: Redis, log: Logger): Promise<void> {
  const info = parseInfo(await withRedis(() => redis.info()));
  checkVersion(info.get('redis_version') ?? '0');
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    throw new MillraceError(
      'REDIS_EVICTS',
      `The maxmemory-policy of this Redis is ${policy}: under memory pressure it would delete tasks. Set it with: redis-cli CONFIG SET maxmemory-policy noeviction`,
    );
  }
  if (info.get('aof_enabled') === '0') {
    log.warn(
      { event: 'redis.no-aof' },
      'This Redis has no append-only file: what it holds is lost when it dies (redis.conf: appendonly yes)',
    );
  }
}

function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestVersion;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new MillraceError(
    'CONFIG_INVALID',
    `Redis ${version} is too old: 5.0 or newer is needed, 6.2 or newer recommended.`,
  );
}
