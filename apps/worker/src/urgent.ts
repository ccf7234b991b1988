import type { Logger } from '@millrace/shared/logger';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Job, Worker } from 'bullmq';

/** BullMQ's score of a prioritized job: priority x 2^32 + a counter. */
const classWidth = 2 ** 32;

interface UrgentFetchParams<Result> {
  readonly redis: Redis;
  readonly prioritizedKey: string;
  /** The worker that fetches now. */
  readonly worker: () => Worker<unknown, Result>;
  readonly workerId: string;
  readonly lockMs: number;
  /** Ends a job as the worker's own slots would: gives its return value or throws. */
  readonly process: (job: Job) => Promise<Result>;
  readonly log: Logger;
}

/**
 * Takes a task that is more urgent than all that the worker holds, although every slot is taken: beside the slots, with a lock
 * that is renewed here, since BullMQ renews only those of its own slots.
 */
export class UrgentFetch<Result> {
  private readonly params: UrgentFetchParams<Result>;
  private readonly beside = new Map<string, { job: Job; token: string }>();
  private readonly renewal: NodeJS.Timeout;
  private looking = false;
  private fetches = 0;

  constructor(params: UrgentFetchParams<Result>) {
    this.params = params;
    this.renewal = setInterval(() => void this.renewLocks(), params.lockMs / 3);
  }

  /** Looks at the head of the queue once; one that is more urgent than `held` (a priority) is fetched. */
  async look(held: number): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const [, score] = await this.params.redis.zrange(this.params.prioritizedKey, '0', '0', 'WITHSCORES');
      if (score !== undefined && Math.floor(Number(score) / classWidth) < held) await this.fetch();
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
    clearInterval(this.renewal);
  }

  private async fetch(): Promise<void> {
    const token = `${this.params.workerId}:urgent:${this.fetches}`;
    this.fetches += 1;
    const job = await this.params.worker().getNextJob(token, { block: false });
    if (job?.id === undefined) return;
    this.beside.set(job.id, { job, token });
    void this.finish(job, token);
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
