import { MillraceError } from '@millrace/shared/errors';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { type ResultStore, type StoredOutcome, unpackVectors, type VectorBlock } from '@millrace/shared/redis/results';
import { readTaskRecord, type TaskRecord } from '@millrace/shared/redis/task-record';
import { parseTaskId, type TaskRef } from '@millrace/shared/tasks/ids';
import { endedStates, type TaskView } from '@millrace/shared/tasks/task';
import { viewOf } from './view.ts';

/** The result of a task, its vectors still as one block of float32. */
export interface TaskResult {
  readonly view: TaskView;
  /** The output without its vectors. */
  readonly output: Record<string, unknown>;
  /** The field of the output that the vectors belong to; null when the type has none. */
  readonly vectorsField: string | null;
  readonly vectors: VectorBlock | undefined;
}

interface ReaderParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly results: ResultStore;
}

interface Found {
  readonly ref: TaskRef;
  readonly record: TaskRecord;
  readonly outcome: StoredOutcome | undefined;
  readonly view: TaskView;
}

/** Reads tasks and results out of Redis. */
export class TaskReader {
  private readonly params: ReaderParams;

  constructor(params: ReaderParams) {
    this.params = params;
  }

  /** @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE. */
  async view(id: string): Promise<TaskView> {
    return (await this.find(id)).view;
  }

  /** Whether a task has ended or is gone; what a waiter asks. */
  async hasEnded(ref: TaskRef): Promise<boolean> {
    const record = await withRedis(() => readTaskRecord(this.params, ref, false));
    return record === undefined || record.place === 'completed' || record.place === 'failed';
  }

  /**
   * The result of a task that succeeded.
   * @throws MillraceError TASK_NOT_FOUND, RESULT_NOT_READY, RESULT_EXPIRED, REDIS_UNAVAILABLE, and TASK_NOT_SUCCEEDED for
   * a task that failed, was cancelled or expired.
   */
  async result(id: string): Promise<TaskResult> {
    return await this.resultOf(await this.find(id));
  }

  /** The task, and its result if it has succeeded and is still kept. */
  async viewWithResult(id: string): Promise<{ view: TaskView; result: TaskResult | undefined }> {
    const found = await this.find(id);
    const kept = found.view.state === 'succeeded' && found.outcome?.status === 'succeeded';
    return { view: found.view, result: kept ? await this.resultOf(found) : undefined };
  }

  private async find(id: string): Promise<Found> {
    const ref = parseTaskId(id);
    if (ref === undefined) throw notFound(id);
    const record = await withRedis(() => readTaskRecord(this.params, ref, true));
    if (record === undefined) throw notFound(id);
    const ended = record.place === 'completed' || record.place === 'failed';
    const outcome = ended
      ? await withRedis(() => this.params.results.readOutcome(ref, record.attemptsStarted))
      : undefined;
    return { ref, record, outcome, view: viewOf(ref, record, outcome) };
  }

  private async resultOf({ ref, record, outcome, view }: Found): Promise<TaskResult> {
    if (!endedStates.includes(view.state)) {
      throw new MillraceError('RESULT_NOT_READY', `Task ${view.id} is ${view.state}.`);
    }
    if (view.state !== 'succeeded') throw notSucceeded(view);
    if (outcome?.status !== 'succeeded') throw expired(view.id);
    const { output, vectorsField } = outcome;
    if (vectorsField === null) return { view, output, vectorsField, vectors: undefined };
    const vectors = await withRedis(() => this.params.results.readVectors(ref, record.attemptsStarted));
    if (vectors === undefined) throw expired(view.id);
    return { view, output, vectorsField, vectors };
  }
}

/** The output as its type describes it, vectors as rows of float32. */
export function assembleOutput({ output, vectorsField, vectors }: TaskResult): Record<string, unknown> {
  if (vectorsField === null || vectors === undefined) return output;
  return { ...output, [vectorsField]: unpackVectors(vectors) };
}

function notFound(id: string): MillraceError {
  return new MillraceError('TASK_NOT_FOUND', `There is no task ${JSON.stringify(id.slice(0, 80))}.`);
}

function expired(id: string): MillraceError {
  return new MillraceError('RESULT_EXPIRED', `Task ${id} succeeded, but its result is no longer kept.`);
}

function notSucceeded(view: TaskView): MillraceError {
  const reason = view.error === undefined ? '' : `: ${view.error.code}: ${view.error.message}`;
  return new MillraceError('TASK_NOT_SUCCEEDED', `Task ${view.id} ${view.state}${reason}`, {
    problems: view.error?.problems ?? [],
  });
}
