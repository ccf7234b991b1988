import type { Logger } from '@millrace/shared/logger';
import { type Cancellations, onCancelRequest } from '@millrace/shared/redis/cancellations';
import { isRedisUnavailable, type Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { Family } from '@millrace/shared/tasks/task';

interface CancelWatchParams {
  readonly cancellations: Cancellations;
  /** A connection of its own, for the channel. */
  readonly subscriber: Redis;
  readonly keys: Keys;
  readonly families: readonly Family[];
  readonly log: Logger;
  /** Called with the jobs that are to be cancelled now. */
  readonly onCancel: (family: Family, jobIds: ReadonlySet<string>) => void;
}

/** The set is looked at this often, in case a message was lost; ms. */
const lookEveryMs = 1000;

/** Knows which tasks are to be cancelled, for those that the worker holds and those that it is about to pull. */
export class CancelWatch {
  private readonly params: CancelWatchParams;
  private readonly wishes = new Map<Family, ReadonlySet<string>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(params: CancelWatchParams) {
    this.params = params;
  }

  /** Begins to look. Does not wait for the channel: the set alone is enough. */
  start(): void {
    const { subscriber, keys, families } = this.params;
    this.timer = setInterval(() => {
      for (const family of families) void this.look(family);
    }, lookEveryMs);
    // Fails only when the connection is closed before it was made.
    onCancelRequest(subscriber, keys, (family) => void this.look(family)).catch(() => {});
  }

  isCancelled({ family, jobId }: TaskRef): boolean {
    return this.wishes.get(family)?.has(jobId) ?? false;
  }

  /** A wish that was fulfilled is forgotten, here too: the task may be tried again on purpose, and pulled at once. */
  fulfilled(ref: TaskRef): void {
    const left = new Set(this.wishes.get(ref.family));
    left.delete(ref.jobId);
    this.wishes.set(ref.family, left);
    this.params.cancellations.forget(ref).catch((error: Error) => this.onError(error));
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async look(family: Family): Promise<void> {
    try {
      const jobIds = new Set(await this.params.cancellations.pending(family, Date.now()));
      this.wishes.set(family, jobIds);
      if (jobIds.size > 0) this.params.onCancel(family, jobIds);
    } catch (error) {
      this.onError(error as Error);
    }
  }

  private onError(error: Error): void {
    if (isRedisUnavailable(error)) return;
    this.params.log.warn({ event: 'cancel-watch.failed', error: error.message }, 'looking for cancelled tasks failed');
  }
}
