import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { ParsedJob } from '@millrace/shared/tasks/parse';
import { taskDefaults } from '@millrace/shared/tasks/task';
import type { Job } from 'bullmq';
import { HeldTask } from './process/held-task.ts';

/** The task that a pulled job is, with what it did not say left to the defaults. */
export function heldFromJob(
  job: Job,
  ref: TaskRef,
  { parsed, suspect }: { parsed: ParsedJob; suspect: boolean },
): HeldTask {
  const { taskType, input, inputBytes, data } = parsed;
  return new HeldTask({
    ref,
    taskType,
    input,
    inputBytes,
    attempt: job.attemptsMade + 1,
    startedAttempts: job.attemptsStarted,
    // A bare producer may give none; it counts as normal.
    priority: job.priority || taskDefaults.priority,
    addedAt: job.timestamp,
    createdAt: job.timestamp + (job.opts.delay ?? 0),
    timeoutMs: data.timeoutMs ?? taskDefaults.timeoutMs,
    expiresAt: data.expiresAt,
    resultTtlMs: data.resultTtlMs ?? taskDefaults.resultTtlMs,
    tags: data.tags ?? [],
    pulledAt: Date.now(),
    suspect,
  });
}
