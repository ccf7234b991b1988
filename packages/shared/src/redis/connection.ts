import { Redis, type RedisOptions } from 'ioredis';
import { MillraceError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { addressOptions } from './connection-options.ts';
import { isOutOfMemory, letScriptsPassMemoryLimit } from './memory-limit.ts';

export type { Redis } from 'ioredis';

/** How a connection behaves while Redis is away; each was found necessary by trying. */
const roles = {
  /** Answers requests: says within 2 s that Redis is away instead of holding the caller. */
  producer: { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 2000, connectTimeout: 2000 },
  /**
   * Finishes work: waits for Redis to come back, or a finished result would be lost, and goes on where Redis is at its memory
   * limit. Without ioredis' own pipelining: it copies every script that BullMQ defines into each pipeline, and costs more than
   * the writes that it saves.
   */
  worker: { maxRetriesPerRequest: null, connectTimeout: 5000 },
  /** Blocks on a stream or marker: no time limit for a command, and nothing may share it. */
  blocking: { maxRetriesPerRequest: null, connectTimeout: 5000 },
} as const satisfies Record<string, RedisOptions>;

/** Just above what each may wait for an answer: its time limit, a slow disk of Redis, the 10 s that BullMQ blocks; ms. */
const silentMs = { producer: 2500, worker: 6000, blocking: 15_000 } as const;

/** Reconnects at once at first, then every second; ioredis' own steps grow to 20 s. */
const retryDelayMs = (attempt: number) => Math.min(100 * attempt, 1000);

interface ConnectionParams {
  /** One Redis, Sentinels or nodes of a cluster: redis-url.ts has the forms. */
  readonly url: string;
  /** The mill's prefix. Needed in a cluster, where it decides about the node. */
  readonly prefix?: string;
  readonly role: keyof typeof roles;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly log: Logger;
}

/**
 * What a Redis answers that is not, or not now, the master of the mill: nothing was done. The connection is made anew, which finds the
 * master, and the command sent again, except by a producer, whose caller is told.
 */
const otherMaster =
  /^(READONLY|MASTERDOWN|UNBLOCKED|CLUSTERDOWN|MOVED|ASK|TRYAGAIN) |READONLY You can't write|non local key in a cluster node/;

/**
 * Opens a connection to the master, at once and in the background; Redis may come up later, and another become master. Says in the
 * log when Redis goes and comes, once each, however often a reconnect fails.
 * @throws MillraceError CONFIG_INVALID when the address is not one.
 */
export function connectRedis({ url, prefix, role, name, log }: ConnectionParams): Redis {
  let away = false;
  const onAway = ({ message }: Error) => {
    if (away) return;
    away = true;
    log.warn({ event: 'redis.away', connection: name, error: message }, 'Redis does not answer; trying again');
  };
  const options = {
    ...addressOptions({ url, prefix, silentMs: silentMs[role], retryDelayMs }),
    ...roles[role],
    connectionName: name,
    // Servers before 7.2 do not know the command, and an ACL would have to allow it.
    disableClientInfo: true,
    retryStrategy: retryDelayMs,
    reconnectOnError: (error: Error) => {
      if (!otherMaster.test(error.message)) return false;
      onAway(error);
      return role === 'producer' ? 1 : 2;
    },
  } satisfies RedisOptions;
  const redis = new Redis({ ...options, replyMapping: 'legacy' });
  if (role === 'producer') failFastOnceSeen(redis);
  if (role === 'worker') letScriptsPassMemoryLimit(redis);
  redis.on('error', onAway);
  redis.on('ready', () => {
    if (away) log.info({ event: 'redis.back', connection: name }, 'Redis is back');
    away = false;
  });
  return redis;
}

/**
 * A command that is sent while the very first connection is being made waits for it (2 s at the most); from then on one that
 * finds Redis away fails at once. Without this an app could not enqueue in the same breath as it constructs its client.
 */
function failFastOnceSeen(redis: Redis): void {
  redis.options.enableOfflineQueue = true;
  const failFast = () => {
    redis.options.enableOfflineQueue = false;
  };
  redis.once('ready', failFast);
  redis.once('close', failFast);
  // Sentinels or nodes that do not answer are tried again before any connection was made that could close.
  redis.once('error', failFast);
}

/** Ends a connection politely, or at once when Redis is not there. */
export async function disconnectRedis(redis: Redis): Promise<void> {
  // ioredis would wait 2 s for a socket to close that has closed already, and keep the process for so long.
  if (redis.status === 'end') return;
  if (redis.status !== 'ready') {
    redis.disconnect();
    return;
  }
  await redis.quit().catch(() => redis.disconnect());
}

const unavailable =
  /Connection is closed|Command aborted|Stream isn't writeable|max retries|Command timed out|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|LOADING|CLUSTERDOWN|MASTERDOWN|NOREPLICAS|READONLY|UNBLOCKED|TRYAGAIN|MOVED \d|ASK \d|non local key|sentinels are unreachable|Socket timeout|MISCONF/i;

/** Whether an error means that Redis is away, so that the caller cannot know what became of its command. */
export function isRedisUnavailable(error: unknown): boolean {
  return (
    error instanceof Error && !(error instanceof MillraceError) && unavailable.test(`${error.name} ${error.message}`)
  );
}

/**
 * Runs a command of Redis and turns its failure into Millrace's terms.
 * @throws MillraceError REDIS_UNAVAILABLE when Redis is away, QUEUE_FULL when it is out of memory; others as they are.
 */
export async function withRedis<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (error) {
    if (isRedisUnavailable(error)) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new MillraceError('REDIS_UNAVAILABLE', `Redis does not answer: ${reason}`, {
        cause: error,
        retryAfterMs: 1000,
      });
    }
    if (isOutOfMemory(error)) {
      throw new MillraceError('QUEUE_FULL', 'Redis is at its memory limit (maxmemory); no task is accepted.', {
        cause: error,
        retryAfterMs: 5000,
      });
    }
    throw error;
  }
}
