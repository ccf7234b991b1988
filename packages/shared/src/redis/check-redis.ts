import { MillraceError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type Redis, withRedis } from './connection.ts';
import { isForbidden, parseInfo, readInfo } from './info.ts';

type Info = ReadonlyMap<string, string>;

/** The oldest that BullMQ's and our scripts run on; found by trying (docs/redis.md). */
const oldestVersion = [5, 0] as const;

/**
 * Refuses a Redis that may throw tasks away (any eviction policy but noeviction), is too old, or is no place for keys at that
 * address, and warns of one that keeps nothing on disk. A managed Redis may forbid INFO and CONFIG: then it warns of what it
 * could not see.
 * @throws MillraceError REDIS_EVICTS, CONFIG_INVALID (too old, a wrong form of the address, log-in refused), REDIS_UNAVAILABLE.
 */
export async function checkRedis(redis: Redis, log: Logger): Promise<void> {
  const info = parseInfo(await askInfo(redis));
  checkVersion(info.get('redis_version'));
  checkMode(redis, info.get('redis_mode') ?? info.get('server_mode')); // the second is Valkey's
  await checkPolicy(redis, info, log);
  checkPersistence(info, log);
}

async function askInfo(redis: Redis): Promise<string> {
  try {
    return await withRedis(() => readInfo(redis));
  } catch (error) {
    const { message } = error as Error;
    if (!/^(WRONGPASS|NOAUTH)|invalid password/i.test(message)) throw error;
    throw new MillraceError(
      'CONFIG_INVALID',
      `Redis refuses the log-in (${message}): correct user and password in REDIS_URL, redis://user:password@host.`,
      { cause: error },
    );
  }
}

function checkVersion(version: string | undefined): void {
  if (version === undefined) return;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestVersion;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new MillraceError(
    'CONFIG_INVALID',
    `Redis ${version} is too old: install ${oldestMajor}.${oldestMinor} or newer, best 7.2 or newer.`,
  );
}

/** A node of a cluster has only some keys, and a Sentinel none. */
function checkMode(redis: Redis, mode: string | undefined): void {
  const { host = '127.0.0.1', port = 6379, Connector } = redis.options;
  const at = `${host}:${port}`;
  if (mode === 'cluster' && Connector === undefined) {
    throw new MillraceError(
      'CONFIG_INVALID',
      `The Redis at ${at} is a node of a cluster: set REDIS_URL to redis+cluster://${at}, with the same user and password.`,
    );
  }
  if (mode === 'sentinel') {
    throw new MillraceError(
      'CONFIG_INVALID',
      `What answers at ${at} is a Sentinel: set REDIS_URL to redis+sentinel://${at}/NAME, with the name of the master that it watches.`,
    );
  }
}

async function checkPolicy(redis: Redis, info: Info, log: Logger): Promise<void> {
  const policy = info.get('maxmemory_policy') ?? (await askPolicy(redis));
  if (policy === 'noeviction') return;
  if (policy === undefined) {
    log.warn(
      { event: 'redis.unseen' },
      'This Redis lets us see neither INFO nor CONFIG: make sure that its maxmemory-policy is noeviction, or tasks may be lost; enqueue is not refused before it is full',
    );
    return;
  }
  throw new MillraceError(
    'REDIS_EVICTS',
    `The maxmemory-policy of this Redis is ${policy}: under memory pressure it would delete tasks. Set it with: redis-cli CONFIG SET maxmemory-policy noeviction`,
  );
}

async function askPolicy(redis: Redis): Promise<string | undefined> {
  try {
    const [, policy] = (await withRedis(() => redis.config('GET', 'maxmemory-policy'))) as string[];
    return policy;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

function checkPersistence(info: Info, log: Logger): void {
  if (info.get('aof_enabled') !== '0') return;
  log.warn(
    { event: 'redis.no-aof' },
    'This Redis has no append-only file: what it holds is lost when it dies, but for its last snapshot if it makes some (redis.conf: appendonly yes)',
  );
}
