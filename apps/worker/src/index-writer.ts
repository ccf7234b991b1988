import type { Logger } from '@millrace/shared/logger';
import type { TaskIndex } from '@millrace/shared/redis/task-index';
import type { Family } from '@millrace/shared/tasks/task';
import type { HeldTask } from './process/held-task.ts';

/** Tasks are gathered for so long, so that many are listed in one round trip; ms. */
const gatherMs = 250;

/**
 * Lists tasks as they are pulled: those of bare producers, which nobody has listed, and those whose producer died before it
 * could.
 */
export class IndexWriter {
  private readonly index: TaskIndex;
  private readonly family: Family;
  private readonly log: Logger;
  private gathered: HeldTask[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(index: TaskIndex, family: Family, log: Logger) {
    this.index = index;
    this.family = family;
    this.log = log;
  }

  note(task: HeldTask): void {
    this.gathered.push(task);
    this.timer ??= setTimeout(() => void this.write(), gatherMs);
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.write();
  }

  private async write(): Promise<void> {
    this.timer = undefined;
    const tasks = this.gathered;
    this.gathered = [];
    // A task that has begun expires no more.
    const entries = tasks.map(({ params }) => ({
      jobId: params.ref.jobId,
      createdAt: params.addedAt,
      tags: params.tags,
      expiresAt: undefined,
    }));
    await this.index.add(this.family, entries).catch((error: Error) => {
      this.log.debug({ event: 'index.failed', error: error.message }, 'pulled tasks could not be listed');
    });
  }
}
