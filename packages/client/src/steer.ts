import { MillraceError } from '@millrace/shared/errors';
import { armNextRun, moveToPriority, type TaskQueue } from '@millrace/shared/queues';
import type { Cancellations } from '@millrace/shared/redis/cancellations';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import { endWaiting } from '@millrace/shared/redis/end-waiting';
import { pendingChildren, taskOfJobKey } from '@millrace/shared/redis/job-links';
import type { Keys } from '@millrace/shared/redis/keys';
import { readTaskRecord, type TaskRecord } from '@millrace/shared/redis/task-record';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import { endedStates, type Family, priorityNumber, type TaskOptions, type TaskView } from '@millrace/shared/tasks/task';
import { endsWithin } from './ends-within.ts';
import type { TaskReader } from './read.ts';
import { refOfTask, taskNotFound } from './task-ref.ts';
import { stateOf } from './view.ts';
import type { Waiting } from './waiting.ts';

interface SteeringParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly reader: TaskReader;
  readonly waiting: Waiting;
  readonly cancellations: Cancellations;
  readonly now: () => number;
}

/** So long an answer waits for the worker that has to stop the task; ms. */
const stopsWithinMs = 2000;

/** Ends tasks, moves them ahead or back, and stops and starts families. */
export class Steering {
  private readonly params: SteeringParams;

  constructor(params: SteeringParams) {
    this.params = params;
  }

  /**
   * Ends a task as `cancelled`, whether it waits or runs, and what it waits for with it. A run of a schedule is left out; those
   * behind it go on. The answer may still say `running` when its worker takes longer than 2 s; the wish holds, whoever has the
   * task next.
   * @throws MillraceError TASK_NOT_FOUND, TASK_ENDED, TASK_HAS_PARENT, REDIS_UNAVAILABLE.
   */
  async cancel(id: string): Promise<TaskView> {
    const ref = refOfTask(id);
    const record = await this.recordOf(ref);
    const state = stateOf(record);
    if (endedStates.includes(state)) throw new MillraceError('TASK_ENDED', `Task ${id} has ${state} already.`);
    await this.refusePart(ref, record);
    if (!(await this.endUnbegun(ref))) await this.endRunning(ref);
    return await this.params.reader.view(id);
  }

  /**
   * Gives a waiting task another priority; it goes behind those that have it already.
   * @throws MillraceError TASK_NOT_FOUND, TASK_NOT_WAITING, REDIS_UNAVAILABLE.
   */
  async changePriority(id: string, priority: NonNullable<TaskOptions['priority']>): Promise<TaskView> {
    const ref = refOfTask(id);
    const state = stateOf(await this.recordOf(ref));
    if (state !== 'queued' && state !== 'scheduled') {
      throw new MillraceError('TASK_NOT_WAITING', `Task ${id} is ${state}.`);
    }
    await withRedis(() => moveToPriority(this.queueOf(ref.family), ref.jobId, priorityNumber(priority)));
    return await this.params.reader.view(id);
  }

  /** Lets no worker begin a task of a family until `resume`; what runs goes on. */
  async pause(family: Family): Promise<void> {
    await withRedis(() => this.queueOf(family).pause());
  }

  async resume(family: Family): Promise<void> {
    await withRedis(() => this.queueOf(family).resume());
  }

  /** Ends a task that has not begun, and its parts; false when it runs. */
  private async endUnbegun(ref: TaskRef): Promise<boolean> {
    const { cancellations, now } = this.params;
    await withRedis(() => armNextRun(this.queueOf(ref.family), ref.jobId));
    const parts = await withRedis(() => pendingChildren(this.params, ref));
    const end = { code: 'CANCELLED', message: 'It was cancelled before it began.', now: now() } as const;
    const reply = await withRedis(() => endWaiting(this.params, ref, end));
    if (reply === 'missing') throw taskNotFound(taskIdOf(ref));
    if (reply === 'not-waiting') return false;
    await withRedis(() => cancellations.forget(ref));
    for (const part of parts) await this.endPart(part);
    return true;
  }

  /** Nobody reads what a part of an ended task would give; whether it ends at once is nobody's concern. */
  private async endPart(part: TaskRef): Promise<void> {
    const { cancellations, reader, now } = this.params;
    if (await reader.hasEnded(part)) return;
    if (!(await this.endUnbegun(part))) await withRedis(() => cancellations.request(part, now()));
  }

  private async endRunning(ref: TaskRef): Promise<void> {
    const { cancellations, reader, waiting, now } = this.params;
    const watch = await waiting.watch(ref);
    try {
      // Noted before anything is looked at again: whoever holds the task, or pulls it next, meets the wish.
      await withRedis(() => cancellations.request(ref, now()));
      const ended = (await reader.hasEnded(ref)) || (await endsWithin(watch, { timeoutMs: stopsWithinMs }));
      // A wish that came too late must not meet the task when it is tried again.
      if (ended) await withRedis(() => cancellations.forget(ref));
      // Its worker may have given it back meanwhile.
      else await this.endUnbegun(ref);
    } finally {
      watch.stop();
    }
  }

  /** BullMQ tells the parent of a part only when a worker ends it: a part that waits is ended through its parent. */
  private async refusePart(ref: TaskRef, { parentKey }: TaskRecord): Promise<void> {
    const parent = parentKey === undefined ? undefined : taskOfJobKey(this.params.keys, parentKey);
    if (parent === undefined || (await this.params.reader.hasEnded(parent))) return;
    const detail = `Task ${taskIdOf(ref)} is a part of ${taskIdOf(parent)}, which waits for it.`;
    throw new MillraceError('TASK_HAS_PARENT', detail);
  }

  private async recordOf(ref: TaskRef): Promise<TaskRecord> {
    const record = await withRedis(() => readTaskRecord(this.params, ref, false));
    if (record === undefined) throw taskNotFound(taskIdOf(ref));
    return record;
  }

  private queueOf(family: Family): TaskQueue {
    const queue = this.params.queues.get(family);
    if (queue === undefined) throw new MillraceError('INTERNAL', `no queue is open for the family ${family}`);
    return queue;
  }
}
