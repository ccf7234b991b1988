import type { Logger } from '@millrace/shared/logger';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Job, Worker } from 'bullmq';

/** BullMQ's score of a prioritized job: priority x 2^32 + a counter. */
const classWidth = 2 ** 32;
/** How often the queue is looked at while tasks wait in the worker, besides at the end of each call: well below what a call takes; ms. */
const lookEveryMs = 15;
/** Tasks that one look fetches at most. */
const mostAtOnce = 16;
/** A queue that gives nothing, because it is paused, is not looked at for so long; ms. */
const fruitlessPauseMs = 1000;

interface UrgentFetchParams<Result> {
  readonly redis: Redis;
  readonly prioritizedKey: string;
  /** The worker that fetches now. */
  readonly worker: () => Worker<unknown, Result>;
  readonly workerId: string;
  readonly lockMs: number;
  /** The priority of the most urgent task that waits in the worker; undefined when none waits, or none is to be fetched. */
  readonly waiting: () => number | undefined;
  /** Ends a job as the worker's own slots would: gives its return value or throws. */
  readonly process: (job: Job) => Promise<Result>;
  readonly log: Logger;
}

/**
 * Takes tasks that are more urgent than all that wait in the worker, beside BullMQ's slots: those may all be taken, and where they are
 * not, BullMQ fetches only when a job has ended. The locks of such tasks are renewed here, since BullMQ renews only those of its own slots.
 */
export class UrgentFetch<Result> {
  private readonly params: UrgentFetchParams<Result>;
  private readonly beside = new Map<string, { job: Job; token: string }>();
  private readonly timers: readonly NodeJS.Timeout[];
  private looking = false;
  private lookAgainAt = 0;
  private fetches = 0;

  constructor(params: UrgentFetchParams<Result>) {
    this.params = params;
    this.timers = [
      setInterval(() => void this.renewLocks(), params.lockMs / 3),
      setInterval(() => void this.look(), lookEveryMs),
    ];
  }

  /** Looks at the head of the queue; what is more urgent there than what waits here is fetched. */
  async look(): Promise<void> {
    const waiting = this.params.waiting();
    if (this.looking || waiting === undefined || performance.now() < this.lookAgainAt) return;
    this.looking = true;
    try {
      // Together, so that they can share a call.
      const urgent = Math.min(mostAtOnce, await this.countAbove(waiting));
      const fetched = await Promise.all(Array.from({ length: urgent }, () => this.fetch()));
      if (urgent > 0 && !fetched.includes(true)) this.lookAgainAt = performance.now() + fruitlessPauseMs;
    } catch (error) {
      this.params.log.debug(
        { event: 'urgent.failed', error: (error as Error).message },
        'looking for urgent work failed',
      );
    } finally {
      this.looking = false;
    }
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  private async countAbove(priority: number): Promise<number> {
    const { redis, prioritizedKey } = this.params;
    return await redis.zcount(prioritizedKey, '-inf', `(${priority * classWidth}`);
  }

  private async fetch(): Promise<boolean> {
    const token = `${this.params.workerId}:urgent:${this.fetches}`;
    this.fetches += 1;
    const job = await this.params.worker().getNextJob(token, { block: false });
    if (job?.id === undefined) return false;
    this.beside.set(job.id, { job, token });
    void this.finish(job, token);
    return true;
  }

  private async finish(job: Job, token: string): Promise<void> {
    try {
      await this.end(job, token);
    } catch (error) {
      // The lock is gone or Redis is: the job comes back as a stalled one.
      this.params.log.warn(
        { event: 'task.lost', error: (error as Error).message },
        'an urgent task was lost to another worker',
      );
    } finally {
      this.beside.delete(job.id ?? '');
    }
  }

  private async end(job: Job, token: string): Promise<void> {
    let result: Result;
    try {
      result = await this.params.process(job);
    } catch (error) {
      // Given back or put back: BullMQ's own worker knows these errors by their names too.
      const moved =
        error instanceof Error && ['WaitingError', 'DelayedError', 'WaitingChildrenError'].includes(error.name);
      if (!moved) await job.moveToFailed(error as Error, token, false);
      return;
    }
    await job.moveToCompleted(result, token, false);
  }

  private async renewLocks(): Promise<void> {
    const held = [...this.beside.values()];
    if (held.length === 0) return;
    const ids = held.map(({ job }) => job.id ?? '');
    const tokens = held.map(({ token }) => token);
    await this.params
      .worker()
      .extendJobLocks(ids, tokens, this.params.lockMs)
      .catch(() => {});
  }
}
