import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import { MillraceError } from '@millrace/shared/errors';
import type { Redis } from '@millrace/shared/redis/connection';
import { countRequest, type RequestCount } from '@millrace/shared/redis/request-counts';
import type { FastifyRequest } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

/** What a limit counts: a minute, from a caller's first request on; ms. */
const windowMs = 60_000;
/** While Redis does not answer nobody can count, and a request goes on; ms. With what the request itself waits it stays below 3 s. */
const countWithinMs = 500;

/**
 * Bounds how often each key, or each address where there are no keys, may ask. All APIs of a mill count together, in Redis. What
 * machines ask all the time (health, metrics, the page) is not counted. Comes after `authenticate`, before the routes.
 */
export async function limitRates(app: ApiServer, { mill, keyring, reach }: ApiDeps): Promise<void> {
  const limitOf = (request: FastifyRequest) => request.callerLimit ?? reach.rateLimit;
  const by = keyring.open ? 'address' : 'key';
  await app.register(rateLimit, {
    timeWindow: windowMs,
    store: storeIn(mill.redis),
    skipOnError: true,
    keyGenerator: (request) => mill.keys.requestCount(by, keyring.open ? request.ip : request.caller),
    allowList: (request) => request.routeOptions.config.quiet === true || limitOf(request) === 0,
    max: limitOf,
    errorResponseBuilder: (request, { max, ttl }) => {
      const who = keyring.open ? `The address ${request.ip}` : `The key ${request.caller}`;
      const detail = `${who} has sent more than ${max} requests within a minute.`;
      return new MillraceError('RATE_LIMITED', detail, { retryAfterMs: ttl });
    },
  });
}

/** Counters in Redis, as the plugin wants them. */
function storeIn(redis: Redis): FastifyRateLimitStoreCtor {
  return class RequestCounts {
    incr(key: string, done: (error: Error | null, count?: RequestCount) => void): void {
      withinTime(countRequest(redis, key, windowMs)).then((count) => done(null, count), done);
    }

    child(): this {
      return this;
    }
  };
}

async function withinTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not counted within ${countWithinMs} ms`)), countWithinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
