import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import { jobData, jobOptions, type TaskQueue } from '@millrace/shared/queues';
import { withRedis } from '@millrace/shared/redis/connection';
import { newTaskId } from '@millrace/shared/tasks/ids';
import { type Door, type ParsedTask, parseTask } from '@millrace/shared/tasks/parse';
import { type Family, families } from '@millrace/shared/tasks/task';

/** What became of one task of many: its id, or why it was refused. */
export type BulkOutcome = { readonly id: string; readonly type: string } | { readonly error: MillraceError };

interface EnqueueParams {
  readonly door: Door;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly now: () => number;
}

/** The ready job of a task, before it is added. */
export interface PreparedTask {
  readonly id: string;
  readonly family: Family;
  readonly task: ParsedTask;
}

/** Tasks in one MULTI; more would hold Redis too long at once. */
const addedAtOnce = 500;

/** Puts tasks into their queues: parse -> add. It answers only after Redis has them. */
export class Enqueuer {
  private readonly params: EnqueueParams;

  constructor(params: EnqueueParams) {
    this.params = params;
  }

  /**
   * Checks a task and gives it its id; nothing is sent yet, so that a waiter can be put up first.
   * @throws MillraceError INVALID_INPUT, INPUT_TOO_LARGE, UNSUPPORTED_TASK_TYPE.
   */
  prepare(submitted: unknown): PreparedTask {
    const task = parseTask(this.params.door, submitted);
    const { family } = task.taskType;
    return { id: newTaskId(family), family, task };
  }

  /**
   * Adds one prepared task.
   * @throws MillraceError REDIS_UNAVAILABLE (whether it was added is not known), QUEUE_FULL.
   */
  async add(prepared: PreparedTask): Promise<void> {
    const { name, data, opts } = this.job(prepared);
    await withRedis(() => this.queueOf(prepared.family).add(name, data, opts));
  }

  /** Checks and adds many; one outcome per task, in order. A bad one does not keep the others out. */
  async addMany(submitted: readonly unknown[]): Promise<BulkOutcome[]> {
    const prepared = submitted.map((task): PreparedTask | MillraceError => {
      try {
        return this.prepare(task);
      } catch (error) {
        return toMillraceError(error);
      }
    });
    const failures = await this.addPrepared(
      prepared.filter((entry): entry is PreparedTask => !(entry instanceof MillraceError)),
    );
    return prepared.map((entry) => {
      if (entry instanceof MillraceError) return { error: entry };
      const error = failures.get(entry.id);
      return error === undefined ? { id: entry.id, type: entry.task.taskType.type } : { error };
    });
  }

  /** Adds prepared tasks; the answer has those that failed, by id. */
  private async addPrepared(prepared: readonly PreparedTask[]): Promise<Map<string, MillraceError>> {
    const failures = new Map<string, MillraceError>();
    for (const family of families) {
      const ofFamily = prepared.filter((entry) => entry.family === family);
      for (let start = 0; start < ofFamily.length; start += addedAtOnce) {
        const some = ofFamily.slice(start, start + addedAtOnce);
        try {
          await withRedis(() => this.queueOf(family).addBulk(some.map((entry) => this.job(entry))));
        } catch (error) {
          const failure = toMillraceError(error);
          for (const { id } of some) failures.set(id, failure);
        }
      }
    }
    return failures;
  }

  private job({ id, task }: PreparedTask) {
    return {
      name: task.taskType.type,
      data: jobData(task.input, task.options, this.params.now()),
      opts: jobOptions(id, task.options),
    };
  }

  private queueOf(family: Family): TaskQueue {
    const queue = this.params.queues.get(family);
    if (queue === undefined) throw new MillraceError('INTERNAL', `no queue is open for the family ${family}`);
    return queue;
  }
}
