import type { TaskQueue } from '../queues.ts';
import type { Redis } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import type { HighWater } from '../redis/memory.ts';
import type { Family } from '../tasks/task.ts';
import { agingDuty } from './aging.ts';
import { expiryDuty } from './expiry.ts';
import { owedDuty } from './owed.ts';
import { resultCacheDuty } from './result-cache.ts';
import { retentionDuty } from './retention.ts';
import { spentInputsDuty } from './spent-inputs.ts';
import type { Duty } from './sweeper.ts';
import { unlistedDuty } from './unlisted.ts';
import { waitListDuty } from './wait-list.ts';

interface DutyParams {
  readonly redis: Redis;
  readonly keys: Keys;
  /** Of every family: whoever has the lease of a duty does it for all. */
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  /** AGING_BOUND, in ms. */
  readonly agingMs: number;
  readonly highWater: HighWater;
}

/** Everything that is done in the background, alike in each API and worker. */
export function createDuties({ redis, keys, queues, agingMs, highWater }: DutyParams): Duty[] {
  const now = Date.now;
  return [
    waitListDuty(queues.values()),
    expiryDuty({ redis, keys, now }),
    agingDuty({ redis, keys, queues, boundMs: agingMs, now }),
    retentionDuty({ redis, keys, queues, highWater, now }),
    spentInputsDuty({ redis, keys, now }),
    unlistedDuty({ redis, keys, now }),
    owedDuty(redis, keys),
    resultCacheDuty({ redis, keys, highWater, now }),
  ];
}
