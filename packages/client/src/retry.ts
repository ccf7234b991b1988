import { MillraceError, parseFailedReason } from '@millrace/shared/errors';
import type { TaskQueue } from '@millrace/shared/queues';
import { CallRecords } from '@millrace/shared/redis/call-records';
import type { Cancellations } from '@millrace/shared/redis/cancellations';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import { EndedTasks } from '@millrace/shared/redis/ended-tasks';
import type { Keys } from '@millrace/shared/redis/keys';
import { OwedBytes, owedOf } from '@millrace/shared/redis/owed';
import { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import { readTaskRecord, readTaskRecords } from '@millrace/shared/redis/task-record';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import { type Family, families, type TaskView } from '@millrace/shared/tasks/task';
import { webhookIn } from '@millrace/shared/tasks/webhook';
import type { TaskReader } from './read.ts';
import { refOfTask, taskNotFound } from './task-ref.ts';
import { stateOf } from './view.ts';

interface RetryingParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly reader: TaskReader;
  readonly cancellations: Cancellations;
  readonly now: () => number;
}

/** Which failed tasks are tried again. */
export interface RetryFilter {
  readonly type?: string | undefined;
  readonly family?: Family | undefined;
  /** What they failed with, e.g. `TASK_TIMEOUT`. */
  readonly code?: string | undefined;
}

/** What became of a request to try many again. */
export interface RetriedMany {
  readonly retried: number;
  /** There were more than one request takes: send it again. */
  readonly more: boolean;
}

/** Tasks that one request tries again. */
const mostRetried = 10_000;
/** And how long it goes on; ms. Whoever asked waits for the answer, and for no longer than 15 s over HTTP. */
const retriesWithinMs = 5000;
const lookedAtOnce = 500;
const retriedAtOnce = 50;

/** Tries ended tasks again: their attempts count from the first, their results have keys of their own as before. */
export class Retrying {
  private readonly params: RetryingParams;
  private readonly ended: EndedTasks;
  private readonly crashes: CallRecords;
  private readonly owed: OwedBytes;
  private readonly pending: PendingWebhooks;

  constructor(params: RetryingParams) {
    this.params = params;
    this.ended = new EndedTasks(params.redis, params.keys);
    this.crashes = new CallRecords(params.redis, params.keys);
    this.owed = new OwedBytes(params.redis, params.keys);
    this.pending = new PendingWebhooks(params.redis, params.keys);
  }

  /**
   * Tries a task again that failed, expired or was cancelled.
   * @throws MillraceError TASK_NOT_FOUND, TASK_NOT_FAILED, RESULT_EXPIRED, REDIS_UNAVAILABLE.
   */
  async retry(id: string): Promise<TaskView> {
    const ref = refOfTask(id);
    const record = await withRedis(() => readTaskRecord(this.params, ref, false));
    if (record === undefined) throw taskNotFound(id);
    if (record.place !== 'failed') {
      throw new MillraceError('TASK_NOT_FAILED', `Task ${id} is ${stateOf(record)}.`);
    }
    await withRedis(() => this.putBack(ref));
    return await this.params.reader.view(id);
  }

  /**
   * Tries all failed tasks of a type or family again, or those that failed with a code; those that were cancelled or expired stay as they are.
   * @throws MillraceError REDIS_UNAVAILABLE; some may have been put back then.
   */
  async retryAll({ family, ...which }: RetryFilter): Promise<RetriedMany> {
    // Those that fail again meanwhile are not tried for ever.
    const until = this.params.now();
    const deadline = performance.now() + retriesWithinMs;
    let retried = 0;
    for (const each of family === undefined ? families : [family]) {
      const failed = this.params.keys.bull(each, 'failed');
      const jobIds = await withRedis(() => this.params.redis.zrangebyscore(failed, '-inf', until));
      for (let start = 0; start < jobIds.length; start += lookedAtOnce) {
        const refs = await this.failedAmong(each, jobIds.slice(start, start + lookedAtOnce), which);
        const room = mostRetried - retried;
        retried += await this.putBackAll(refs.slice(0, room));
        if (refs.length > room) return { retried, more: true };
        const isLast = start + lookedAtOnce >= jobIds.length;
        if (!isLast && performance.now() > deadline) return { retried, more: true };
      }
    }
    return { retried, more: false };
  }

  private async failedAmong(
    family: Family,
    jobIds: readonly string[],
    { type, code }: Omit<RetryFilter, 'family'>,
  ): Promise<TaskRef[]> {
    const records = await withRedis(() => readTaskRecords(this.params, { family, jobIds }, false));
    return jobIds.flatMap((jobId, index) => {
      const record = records[index];
      if (record === undefined || stateOf(record) !== 'failed') return [];
      if (type !== undefined && record.name !== type) return [];
      const isMeant = code === undefined || parseFailedReason(record.failedReason ?? '').code === code;
      return isMeant ? [{ family, jobId }] : [];
    });
  }

  private async putBackAll(refs: readonly TaskRef[]): Promise<number> {
    let count = 0;
    for (let start = 0; start < refs.length; start += retriedAtOnce) {
      const some = refs.slice(start, start + retriedAtOnce);
      const outcomes = await Promise.allSettled(some.map((ref) => withRedis(() => this.putBack(ref))));
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') count += 1;
        // Whoever was removed or tried again by somebody else meanwhile is none of the rest's concern.
        else if (!(outcome.reason instanceof MillraceError) || outcome.reason.code === 'REDIS_UNAVAILABLE') {
          throw outcome.reason;
        }
      }
    }
    return count;
  }

  private async putBack(ref: TaskRef): Promise<void> {
    const { keys, redis, cancellations, queues, now } = this.params;
    const until = await this.ended.keptUntil(ref);
    if (until !== undefined && until <= now()) throw noLongerKept(ref);
    // First of all it is taken from the sweepers of ended tasks, or it could lose its input, or be removed when it waits again.
    if (!(await this.ended.takeOut(ref))) throw taskNotFound(taskIdOf(ref));
    const job = await queues
      .get(ref.family)
      ?.getJob(ref.jobId)
      .catch((error: unknown) => Promise.reject(error instanceof SyntaxError ? notWhole(ref) : error));
    if (job === undefined) throw taskNotFound(taskIdOf(ref));
    await cancellations.withdraw(ref, parseFailedReason(job.failedReason).code === 'CANCELLED');
    await this.crashes.forgive(ref);
    const data = withoutPastDeadline(job.data, now());
    if (data !== job.data) {
      await job.updateData(data);
      await redis.zrem(keys.expiring(ref.family), ref.jobId);
    }
    await this.noteWebhook(ref, job.data);
    try {
      // The count of started attempts stays: it is part of each attempt's result key.
      await job.retry('failed', { resetAttemptsMade: true });
    } catch (error) {
      throw isNotFailed(error) ? new MillraceError('TASK_NOT_FAILED', `Task ${taskIdOf(ref)} waits already.`) : error;
    }
    // It will write its outcome again. A number that is lost only makes admission a little more generous.
    await this.owed.add(ref.family, owedOf(job.opts)).catch(() => {});
  }

  /** Who was to be told of the end that it has is told of it, and of the next. */
  private async noteWebhook(ref: TaskRef, data: unknown): Promise<void> {
    const webhook = webhookIn(data);
    if (webhook === undefined) return;
    await this.pending.keepEnds(ref.family, [ref.jobId]);
    await this.pending.noteKnown(ref, webhook.url, this.params.now());
  }
}

function noLongerKept(ref: TaskRef): MillraceError {
  return new MillraceError('RESULT_EXPIRED', `Task ${taskIdOf(ref)} ended long ago: its input is no longer kept.`);
}

/** What any program may have written to the queue. */
function notWhole(ref: TaskRef): MillraceError {
  return new MillraceError(
    'RESULT_EXPIRED',
    `Task ${taskIdOf(ref)} has no input: what stands in Redis for it is no JSON.`,
  );
}

/** An expired task would only expire again. */
function withoutPastDeadline(data: unknown, now: number): unknown {
  if (typeof data !== 'object' || data === null || !('expiresAt' in data)) return data;
  const { expiresAt, ...rest } = data;
  return typeof expiresAt === 'number' && expiresAt > now ? data : rest;
}

/** BullMQ's code for a job that is not in the set it was expected in: somebody else was first. */
function isNotFailed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === -3;
}
