import { readSettings } from '@millrace/shared/env';
import type { HighWater } from '@millrace/shared/redis/memory';

/** How much may wait. */
export interface AdmissionBounds {
  /** Tasks of a family. */
  readonly maxWaiting: number;
  readonly highWater: HighWater;
}

/** The same as an app says it; what it leaves out is as in the settings of the API. */
export interface GivenBounds {
  /** As MAX_WAITING of the API: how many tasks of a family may wait; default 1,000,000. */
  readonly maxWaiting?: number;
  /** As REDIS_HIGH_WATER of the API: a share of Redis' maxmemory, or bytes; default `80%`. */
  readonly redisHighWater?: string;
}

/** @throws MillraceError CONFIG_INVALID. */
export function boundsOf({ maxWaiting, redisHighWater }: GivenBounds): AdmissionBounds {
  const given = { MAX_WAITING: maxWaiting?.toString(), REDIS_HIGH_WATER: redisHighWater };
  const settings = readSettings(['MAX_WAITING', 'REDIS_HIGH_WATER'], given);
  return { maxWaiting: settings.MAX_WAITING, highWater: settings.REDIS_HIGH_WATER };
}
