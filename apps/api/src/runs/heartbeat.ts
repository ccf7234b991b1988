import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { holdLease } from '@millrace/shared/redis/lease';
import { leaseName, type Runs } from '@millrace/shared/redis/runs';
import { Interruption } from './interruption.ts';

/** Without a beat for so long a run is anybody's; ms. */
export const leaseMs = 8000;
const beatEveryMs = 1000;
/** So long before its end a lease that could not be renewed is given up: its holder must not act on it any more; ms. */
const marginMs = 2000;

interface HeartbeatParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly runs: Runs;
  readonly runId: string;
  readonly holder: string;
  readonly now: () => number;
}

/** What is being done for a run, and what is to interrupt it. */
interface Phase {
  readonly over: AbortController;
  /** Whether a cancellation interrupts it. */
  readonly cancellable: boolean;
  /** When its time is over; undefined when that does not matter to it. */
  readonly expiresAt: number | undefined;
}

/** Keeps the lease of a run, and looks whether somebody cancels it or its time is over. */
export class Heartbeat {
  private readonly params: HeartbeatParams;
  private readonly timer: NodeJS.Timeout;
  private phase: Phase | undefined;
  private heldAt: number;
  private beating: Promise<void> | undefined;
  private lost: Interruption | undefined;

  /** The lease has just been taken. */
  constructor(params: HeartbeatParams) {
    this.params = params;
    this.heldAt = params.now();
    this.timer = setInterval(() => void this.beat(), beatEveryMs);
    this.timer.unref();
  }

  /** Begins a phase; its signal is aborted with an Interruption. */
  begin(phase: Omit<Phase, 'over'>): AbortSignal {
    const over = new AbortController();
    this.phase = { ...phase, over };
    if (this.lost !== undefined) over.abort(this.lost);
    return over.signal;
  }

  /** Looks at once. */
  async beat(): Promise<void> {
    this.beating ??= this.look().finally(() => {
      this.beating = undefined;
    });
    await this.beating;
  }

  /** This process gives the run up, or has to. */
  giveUp(why: 'lost' | 'closing'): void {
    this.lost ??= new Interruption(why);
    this.phase?.over.abort(this.lost);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const { redis, keys, runs, runId, holder, now } = this.params;
    const askedAt = now();
    try {
      const lease = { holder, ttlMs: leaseMs };
      if (!(await holdLease(redis, keys.lease(leaseName(runId)), lease))) return this.giveUp('lost');
      this.heldAt = askedAt;
      const status = await runs.status(runId);
      if (status === undefined) return this.giveUp('lost');
      if (status === 'cancelling' && this.phase?.cancellable === true) this.interrupt('cancelled');
    } catch {
      // Redis is away. As long as the lease holds for sure the work goes on.
      if (now() - this.heldAt > leaseMs - marginMs) return this.giveUp('lost');
    }
    if (this.phase?.expiresAt !== undefined && this.phase.expiresAt <= now()) this.interrupt('expired');
  }

  private interrupt(why: 'cancelled' | 'expired'): void {
    this.phase?.over.abort(new Interruption(why));
  }
}
