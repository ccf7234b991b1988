import type { Logger } from '../logger.ts';
import { isRedisUnavailable, type Redis } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { dropLease, holdLease } from '../redis/lease.ts';

/** A periodic duty that one process at a time does, for all. */
export interface Duty {
  readonly name: string;
  readonly everyMs: number;
  /** Does one round; returns how many tasks it moved. */
  run(): Promise<number>;
}

interface SweeperParams {
  readonly redis: Redis;
  readonly keys: Keys;
  /** Who this process is, for the lease. */
  readonly holder: string;
  readonly duties: readonly Duty[];
  readonly log: Logger;
}

/** The lease outlives this many rounds of its duty, so that one slow round does not give it away. */
const leaseRounds = 5;

/**
 * Does duties in the background, each leased in Redis so that only one of all the processes does it. A round that fails is
 * logged and tried again with the next; while Redis is away nothing is said twice.
 */
export class Sweeper {
  private readonly params: SweeperParams;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly rounds = new Set<Promise<void>>();

  constructor(params: SweeperParams) {
    this.params = params;
  }

  start(): void {
    for (const duty of this.params.duties) {
      const timer = setInterval(() => this.track(duty), duty.everyMs);
      timer.unref();
      this.timers.add(timer);
    }
  }

  /** Ends the rounds under way and gives the leases up. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.rounds);
    const { redis, keys, holder, duties } = this.params;
    if (redis.status !== 'ready') return;
    await Promise.all(duties.map(({ name }) => dropLease(redis, keys.lease(name), holder)));
  }

  private track(duty: Duty): void {
    const round = this.round(duty).finally(() => this.rounds.delete(round));
    this.rounds.add(round);
  }

  private async round(duty: Duty): Promise<void> {
    const { redis, keys, holder, log } = this.params;
    try {
      const ttlMs = duty.everyMs * leaseRounds;
      if (!(await holdLease(redis, keys.lease(duty.name), { holder, ttlMs }))) return;
      const moved = await duty.run();
      if (moved > 0) log.info({ event: 'sweep', duty: duty.name, moved }, 'swept');
    } catch (error) {
      if (isRedisUnavailable(error)) return;
      log.warn({ event: 'sweep.failed', duty: duty.name, error: (error as Error).message }, 'a sweep failed');
    }
  }
}
