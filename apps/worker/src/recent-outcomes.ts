import type { Logger } from '@millrace/shared/logger';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { OutcomeWrite, ResultStore } from '@millrace/shared/redis/results';

interface RecentOutcomesParams {
  readonly results: ResultStore;
  /** The connection on which outcomes are written and jobs ended. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  /** ms since any fixed moment. */
  readonly now: () => number;
}

interface Recent {
  readonly write: OutcomeWrite;
  readonly at: number;
  readonly bytes: number;
}

/** Longer than a job takes to be ended once its outcome is written, while Redis answers; ms. */
const keptMs = 15_000;
/** What they may take together. */
const mostBytes = 16 * 2 ** 20;
/** What an outcome takes beside its vectors and its output, roughly. */
const frameBytes = 500;

/**
 * Writes outcomes, and remembers those of the last moment. A master that is replaced may have taken an outcome that its replica never
 * got, while the end of the job, sent a moment later, reaches the new one: the task would have ended without a result. So whenever
 * the connection was made anew, what is missing is written again. An outcome of a job that is not there, or not ours any more, is
 * read by nobody and expires.
 */
export class RecentOutcomes {
  private readonly params: RecentOutcomesParams;
  private readonly recent = new Map<string, Recent>();
  private bytes = 0;

  constructor(params: RecentOutcomesParams) {
    this.params = params;
    params.redis.on('ready', () => void this.restore());
  }

  /** As `ResultStore.write` does. */
  async write(write: OutcomeWrite): Promise<boolean> {
    const written = await this.params.results.write(write);
    if (written) this.remember(write);
    return written;
  }

  private remember(write: OutcomeWrite): void {
    const key = this.params.keys.result(write.ref, write.attempt);
    this.forget(key);
    const output = write.outcome.status === 'succeeded' ? JSON.stringify(write.outcome.output).length : 0;
    const bytes = frameBytes + output + (write.vectors?.bytes.length ?? 0);
    const now = this.params.now();
    this.recent.set(key, { write, at: now, bytes });
    this.bytes += bytes;
    // Only when another is written: while Redis is silent none is, and all may be needed.
    for (const [oldest, { at }] of this.recent) {
      if (now - at <= keptMs && this.bytes <= mostBytes) break;
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    this.bytes -= this.recent.get(key)?.bytes ?? 0;
    this.recent.delete(key);
  }

  private async restore(): Promise<void> {
    const { redis, results, log } = this.params;
    const there = [...this.recent];
    try {
      const missing = await Promise.all(there.map(async ([key]) => (await redis.exists(key)) === 0));
      const lost = there.filter((_, index) => missing[index]);
      // Without the lock and what follows from an end: the job may have ended, and who ends it counts.
      const again = lost.map(([, { write }]) => results.write({ ...write, token: undefined, ends: undefined }));
      await Promise.all(again);
      if (lost.length === 0) return;
      log.warn({ event: 'results.restored', outcomes: lost.length }, 'Redis had lost outcomes; they are written again');
    } catch (error) {
      log.warn({ event: 'results.unrestored', error: (error as Error).message }, 'lost outcomes could not be written');
    }
  }
}
