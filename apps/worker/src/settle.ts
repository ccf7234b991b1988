import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ErrorCode,
  errorTable,
  formatFailedReason,
  type ItemFailure,
  type MillraceError,
  type Problem,
} from '@millrace/shared/errors';
import type { Metrics } from '@millrace/shared/metrics';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { isOutOfMemory } from '@millrace/shared/redis/memory-limit';
import { owedOf } from '@millrace/shared/redis/owed';
import {
  type AttemptFacts,
  type OutcomeWrite,
  packVectors,
  type ResultStore,
  type StoredOutcome,
  type VectorBlock,
} from '@millrace/shared/redis/results';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { type Family, taskDefaults } from '@millrace/shared/tasks/task';
import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import type { HeldTask, TaskEnd } from './process/held-task.ts';

const typeForm = /^[a-z]+\.[a-z][a-z0-9-]{0,63}$/;
const mostTypes = 200;

interface SettleParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly results: Pick<ResultStore, 'write'>;
  readonly metrics: Metrics;
  readonly workerId: string;
  /** Called when a task has ended because it was cancelled. */
  readonly onCancelled: (ref: TaskRef) => void;
}

/** What BullMQ keeps as the return value: where the result is, never the result. */
export interface ReturnSummary {
  readonly v: 1;
  /** The key of Redis that holds the result. */
  readonly result: string;
  readonly rows?: number;
  readonly dimensions?: number;
}

/** A worker that lacks what a task needs (a newer type, a model) puts it back for others, this long in all. */
const putBackForMs = 10 * 60_000;
const putBackDelayMs = 5000;
/** Between two tries to write an outcome into a Redis without room; ms. */
const fullPauseMs = 1000;

/**
 * Ends a job as its task ended: writes the outcome under the key of this attempt, then tells BullMQ by what is returned or
 * thrown. BullMQ ends the job only with the lock, and with that publishes the outcome.
 */
export class Settler {
  private readonly params: SettleParams;

  /** Names of types that are counted. */
  private readonly counted = new Set<string>();

  constructor(params: SettleParams) {
    this.params = params;
  }

  /** @throws what makes BullMQ fail, retry or give back the job. */
  async settle(job: Job, task: HeldTask, end: TaskEnd): Promise<ReturnSummary> {
    switch (end.kind) {
      case 'succeeded':
        return await this.succeed(job, task, end.values);
      case 'returned':
        return await this.giveBack(job, task.params.ref.family);
      case 'lacking':
        if (mayPutBack(job)) return await this.putBack(job);
        return await this.fail(job, task, { ...end, kind: 'failed', items: [] });
      case 'failed':
        return await this.fail(job, task, end);
    }
  }

  /** A job that did not pass the worker's door: it fails for good, or waits for a newer worker. */
  async refuse(job: Job, ref: TaskRef, error: MillraceError): Promise<never> {
    if (error.code === 'UNSUPPORTED_TASK_TYPE' && mayPutBack(job)) return await this.putBack(job);
    const facts: AttemptFacts = {
      worker: this.params.workerId,
      attempt: job.attemptsMade + 1,
      tags: [],
      pulledAt: Date.now(),
      firstCallAt: null,
      lastCallEndedAt: null,
      batch: null,
      calls: 0,
    };
    const { code, message, problems } = error;
    const outcome = failedOutcome(facts, { code, message, problems, items: [] });
    await this.writeFailure(job, { ref, attempt: job.attemptsStarted, outcome, isLast: true });
    this.count(job.name, 'failed');
    throw new UnrecoverableError(formatFailedReason(code, message));
  }

  /** Gives a job that has not begun back to its queue: at the front of its priority, no attempt burnt, for others at once. */
  async giveBack(job: Job, family: Family): Promise<never> {
    await job.moveToWait(job.token);
    // BullMQ writes no marker for it, and idle workers would find it only after some seconds.
    // A Redis that is full takes no marker, and they do.
    await this.params.redis.zadd(this.params.keys.bull(family, 'marker'), 0, '0').catch(() => {});
    this.count(job.name, 'returned');
    throw new WaitingError();
  }

  private async putBack(job: Job): Promise<never> {
    await job.moveToDelayed(Date.now() + putBackDelayMs, job.token);
    this.count(job.name, 'returned');
    throw new DelayedError();
  }

  private async succeed(job: Job, task: HeldTask, values: readonly unknown[]): Promise<ReturnSummary> {
    const { taskType, input, ref, startedAttempts, resultTtlMs } = task.params;
    const began = performance.now();
    const { output, vectors } = splitVectors(taskType.join(values, input), taskType.vectors);
    const outcome: StoredOutcome = {
      ...this.facts(task),
      status: 'succeeded',
      output,
      vectorsField: taskType.vectors ?? null,
    };
    const ends = { owed: owedOf(job.opts) };
    await this.write(job, { ref, attempt: startedAttempts, outcome, vectors, ttlMs: resultTtlMs, ends });
    this.observe(task, 'succeeded', began);
    return {
      v: 1,
      result: this.params.keys.result(ref, startedAttempts),
      ...(vectors === undefined ? {} : { rows: vectors.rows, dimensions: vectors.dimensions }),
    };
  }

  private async fail(job: Job, task: HeldTask, end: Extract<TaskEnd, { kind: 'failed' }>): Promise<never> {
    const { ref, startedAttempts } = task.params;
    const { code, message, items } = end;
    const began = performance.now();
    const { retryable } = errorTable[code];
    const isLast = !retryable || task.params.attempt >= (job.opts.attempts ?? 1);
    const outcome = failedOutcome(this.facts(task), { code, message, items, problems: [] });
    await this.writeFailure(job, { ref, attempt: startedAttempts, outcome, isLast });
    if (code === 'CANCELLED') this.params.onCancelled(ref);
    const reason = formatFailedReason(code, message);
    this.observe(task, isLast ? 'failed' : 'retry', began);
    throw retryable ? new Error(reason) : new UnrecoverableError(reason);
  }

  private async writeFailure(job: Job, { isLast, ...failure }: FailureWrite): Promise<void> {
    const ends = isLast ? { owed: owedOf(job.opts) } : undefined;
    await this.write(job, { ...failure, vectors: undefined, ttlMs: taskDefaults.failedTtlMs, ends });
  }

  /** A Redis without room costs no task an attempt: the outcome is held until it can be written, or the lock is lost. */
  private async write(job: Job, write: Omit<OutcomeWrite, 'token'>): Promise<void> {
    const { results, redis, keys } = this.params;
    for (;;) {
      try {
        await results.write({ ...write, token: job.token });
        return;
      } catch (error) {
        // Redis lets the script pass; another server may not.
        if (!isOutOfMemory(error)) throw error;
      }
      await sleep(fullPauseMs);
      if ((await redis.get(keys.lock(write.ref))) !== job.token) return;
    }
  }

  private facts(task: HeldTask): AttemptFacts {
    const { attempt, tags, pulledAt } = task.params;
    return {
      worker: this.params.workerId,
      attempt,
      tags,
      pulledAt,
      firstCallAt: task.firstCallAt,
      lastCallEndedAt: task.lastCall?.endedAt ?? null,
      batch: task.lastCall === null ? null : { id: task.lastCall.id, size: task.lastCall.items },
      calls: task.calls,
    };
  }

  /** `settlingSince`: by performance.now(). */
  private observe(task: HeldTask, outcome: string, settlingSince: number): void {
    const { metrics } = this.params;
    const { taskType, createdAt, pulledAt } = task.params;
    const { type } = taskType;
    this.count(type, outcome);
    const spent = (stage: string, ms: number) =>
      metrics.observe('millrace_task_stage_seconds', { type, stage }, Math.max(0, ms) / 1000);
    spent('queued', pulledAt - createdAt);
    spent('settling', performance.now() - settlingSince);
    if (task.firstCallAt === null || task.lastCall === null) return;
    spent('batched', task.firstCallAt - pulledAt);
    spent('computing', task.lastCall.endedAt - task.firstCallAt);
  }

  /** What is no type, as any program may call a job, is counted under one name: each would be a series for ever. */
  private count(name: string, outcome: string): void {
    const isType = typeForm.test(name) && (this.counted.has(name) || this.counted.size < mostTypes);
    if (isType) this.counted.add(name);
    this.params.metrics.count('millrace_tasks_settled_total', { type: isType ? name : 'other', outcome });
  }
}

function mayPutBack(job: Job): boolean {
  return Date.now() - job.timestamp < putBackForMs;
}

/** The outcome of a failed attempt, on its way. */
interface FailureWrite extends Pick<OutcomeWrite, 'ref' | 'attempt' | 'outcome'> {
  /** The task is not tried again. */
  readonly isLast: boolean;
}

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly items: readonly ItemFailure[];
  readonly problems: readonly Problem[];
}

function failedOutcome(facts: AttemptFacts, failure: Failure): StoredOutcome {
  return { ...facts, status: 'failed', ...failure };
}

/** Takes the vectors out of an output: they are stored beside it, as they are. */
function splitVectors(
  output: unknown,
  field: string | undefined,
): { output: Record<string, unknown>; vectors: VectorBlock | undefined } {
  const record = output as Record<string, unknown>;
  if (field === undefined) return { output: record, vectors: undefined };
  const { [field]: rows, ...rest } = record;
  return { output: rest, vectors: packVectors(rows as Float32Array[]) };
}
