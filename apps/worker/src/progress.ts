import type { Logger } from '@millrace/shared/logger';
import type { Job } from 'bullmq';
import type { HeldTask } from './process/held-task.ts';

/** How often a task says how far it is, in ms: every report is a write and an event. */
const reportEveryMs = 1000;

/** Writes how many items of a long task are done to its job, at most once a second; a short task says nothing. */
export class ProgressReporter {
  private readonly log: Logger;

  constructor(log: Logger) {
    this.log = log;
  }

  /** Reports until the task ends. */
  follow(job: Job, task: HeldTask): void {
    if (task.items.length === 1) return;
    let reported = 0;
    const timer = setInterval(() => {
      if (task.done === reported) return;
      reported = task.done;
      job.updateProgress({ done: task.done, total: task.items.length }).catch((error: Error) => {
        this.log.debug({ event: 'progress.failed', error: error.message }, 'progress was not written');
      });
    }, reportEveryMs);
    void task.ended.then(() => clearInterval(timer));
  }
}
