import { MillraceError } from '@millrace/shared/errors';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { ResultStore, StoredOutcome, VectorBlock } from '@millrace/shared/redis/results';
import { readEndings, readTaskRecord, type TaskEnding, type TaskRecord } from '@millrace/shared/redis/task-record';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { endedStates, type Family, type TaskView } from '@millrace/shared/tasks/task';
import { EndingLookUps } from './ending-look-ups.ts';
import { refOfTask, taskNotFound } from './task-ref.ts';
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

/** A task with all that is known of it. */
interface Found {
  readonly ref: TaskRef;
  readonly record: TaskRecord;
  readonly outcome: StoredOutcome | undefined;
  readonly vectors: VectorBlock | undefined;
  readonly view: TaskView;
}

/** Reads tasks and results out of Redis. */
export class TaskReader {
  private readonly params: ReaderParams;
  private readonly lookUps = new EndingLookUps((family, jobIds) => this.endings(family, jobIds));

  constructor(params: ReaderParams) {
    this.params = params;
  }

  /** @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE. */
  async view(id: string): Promise<TaskView> {
    return (await this.find(id)).view;
  }

  /**
   * The same without what costs to read: its tags, and what the outcome knows of batches, stages and problems.
   * @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE.
   */
  async glance(id: string): Promise<TaskView> {
    const ref = refOfTask(id);
    const record = await withRedis(() => readTaskRecord(this.params, ref, false));
    if (record === undefined) throw taskNotFound(id);
    return viewOf(ref, record, undefined);
  }

  /** Whether a task has ended or is gone. */
  async hasEnded(ref: TaskRef): Promise<boolean> {
    return (await this.ending(ref)) !== 'open';
  }

  async ending(ref: TaskRef): Promise<TaskEnding> {
    return await this.lookUps.ask(ref);
  }

  /** The same of some tasks of a family, in order; what waiters ask. */
  async endings(family: Family, jobIds: readonly string[]): Promise<TaskEnding[]> {
    return await withRedis(() => readEndings(this.params, family, jobIds));
  }

  /**
   * The result of a task that succeeded.
   * @throws MillraceError TASK_NOT_FOUND, RESULT_NOT_READY, RESULT_EXPIRED, REDIS_UNAVAILABLE, and TASK_NOT_SUCCEEDED for
   * a task that failed, was cancelled or expired.
   */
  async result(id: string): Promise<TaskResult> {
    return this.resultOf(await this.find(id, { withVectors: true }));
  }

  /**
   * The output of a task that has just completed, by its job's return value alone: one command. Undefined when that does not
   * lead to it; then `viewWithResult` tells more.
   */
  async outputOf(returned: unknown): Promise<Omit<TaskResult, 'view'> | undefined> {
    const key = typeof returned === 'object' && returned !== null && 'result' in returned ? returned.result : undefined;
    if (typeof key !== 'string') return undefined;
    const read = await withRedis(() => this.params.results.readKey(key));
    if (read?.outcome.status !== 'succeeded') return undefined;
    const { output, vectorsField } = read.outcome;
    return vectorsField !== null && read.vectors === undefined
      ? undefined
      : { output, vectorsField, vectors: read.vectors };
  }

  /** The task, and its result if it has succeeded and is still kept. */
  async viewWithResult(id: string): Promise<{ view: TaskView; result: TaskResult | undefined }> {
    const found = await this.find(id, { withVectors: true });
    const kept = found.view.state === 'succeeded' && found.outcome?.status === 'succeeded';
    return { view: found.view, result: kept ? this.resultOf(found) : undefined };
  }

  /** @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE. */
  async find(id: string, { withVectors } = { withVectors: false }): Promise<Found> {
    const ref = refOfTask(id);
    const record = await withRedis(() => readTaskRecord(this.params, ref, true));
    if (record === undefined) throw taskNotFound(id);
    const ended = record.place === 'completed' || record.place === 'failed';
    const { outcome, vectors } = ended ? await this.readAttempt(ref, record.attemptsStarted, withVectors) : nothing;
    return { ref, record, outcome, vectors, view: viewOf(ref, record, outcome) };
  }

  private async readAttempt(
    ref: TaskRef,
    attempt: number,
    withVectors: boolean,
  ): Promise<Pick<Found, 'outcome' | 'vectors'>> {
    const { results } = this.params;
    if (withVectors) return (await withRedis(() => results.read(ref, attempt))) ?? nothing;
    return { outcome: await withRedis(() => results.readOutcome(ref, attempt)), vectors: undefined };
  }

  private resultOf({ outcome, vectors, view }: Found): TaskResult {
    if (!endedStates.includes(view.state)) {
      throw new MillraceError('RESULT_NOT_READY', `Task ${view.id} is ${view.state}.`);
    }
    if (view.state !== 'succeeded') throw notSucceeded(view);
    if (outcome?.status !== 'succeeded') throw expired(view.id);
    const { output, vectorsField } = outcome;
    if (vectorsField !== null && vectors === undefined) throw expired(view.id);
    return { view, output, vectorsField, vectors };
  }
}

/** What is left of an attempt that has not ended, or whose time is over. */
const nothing = { outcome: undefined, vectors: undefined };

function expired(id: string): MillraceError {
  return new MillraceError('RESULT_EXPIRED', `Task ${id} succeeded, but its result is no longer kept.`);
}

function notSucceeded(view: TaskView): MillraceError {
  const reason = view.error === undefined ? '' : `: ${view.error.code}: ${view.error.message}`;
  return new MillraceError('TASK_NOT_SUCCEEDED', `Task ${view.id} ${view.state}${reason}`, {
    problems: view.error?.problems ?? [],
  });
}
