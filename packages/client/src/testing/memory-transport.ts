import { MillraceError } from '@millrace/shared/errors';
import { type QueueReport, reportOf } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import {
  type Family,
  families,
  priorityNumber,
  type TaskState,
  type TaskView,
  taskDefaults,
} from '@millrace/shared/tasks/task';
import { type TaskTypeView, taskTypeViews } from '@millrace/shared/tasks/task-type-view';
import type { CollectionSettings } from '@millrace/shared/tasks/vector/collection';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import { raced } from '../abortable.ts';
import type { WaitBound } from '../ends-within.ts';
import { noOutputOf, waitTimeout } from '../failed-task.ts';
import { checkListing, type ListBounds, type ListFilter, type ListPage } from '../list.ts';
import type { RetriedMany, RetryFilter } from '../retry.ts';
import type { RunTransport } from '../run-transport.ts';
import type { CallOptions, FollowedEvent, Parcel, Priority, Schedule, Submission, Transport } from '../transport.ts';
import { explainTestTask } from './test-explanation.ts';
import { followTestTask, testTaskEnds } from './test-follow.ts';
import type { TestMill } from './test-mill.ts';
import { TestParcel } from './test-parcel.ts';
import { TestRuns } from './test-runs.ts';
import type { TestTask } from './test-task.ts';

/** A mill in memory, behind the same contract as a real one. */
export class MemoryTransport implements Transport {
  private readonly mill: TestMill;
  readonly runs: RunTransport;
  private readonly closing = new AbortController();

  constructor(mill: TestMill) {
    this.mill = mill;
    this.runs = new TestRuns(mill, (options, act) => this.call(options, act));
  }

  prepare(tasks: readonly Submission[], { idempotencyKey }: { idempotencyKey?: string | undefined }): Parcel {
    const admit = () => {
      this.check();
      if (this.mill.isFull) throw new MillraceError('QUEUE_FULL', 'The test wants it to be full.', { retryAfterMs: 1 });
    };
    return new TestParcel({ mill: this.mill, admit }, tasks, idempotencyKey);
  }

  async result(id: string, bound: WaitBound): Promise<Record<string, unknown>> {
    const task = await this.untilEnded(id, bound);
    if (!task.hasEnded) throw waitTimeout(id, bound.timeoutMs);
    const ttlMs = task.parsed.options.resultTtlMs ?? taskDefaults.resultTtlMs;
    const isKept = this.mill.now < (task.finishedAt ?? 0) + ttlMs;
    if (task.ending?.state !== 'succeeded' || !isKept) throw noOutputOf(task.view());
    return structuredClone(task.ending.output);
  }

  async wait(id: string, bound: WaitBound): Promise<TaskView> {
    return (await this.untilEnded(id, bound)).view();
  }

  async *follow(id: string, { signal }: CallOptions): AsyncGenerator<FollowedEvent, void, undefined> {
    this.check();
    yield* followTestTask(this.mill.find(id), this.mill.now, [signal, this.closing.signal]);
  }

  get(id: string, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => this.mill.find(id).view());
  }

  explain(id: string, options: CallOptions): Promise<Explanation> {
    return this.call(options, () => explainTestTask(this.mill, this.mill.find(id)));
  }

  list({ limit, cursor = '0', ...filter }: ListFilter & ListBounds, options: CallOptions): Promise<ListPage> {
    return this.call(options, () => {
      checkListing(filter, { limit });
      const { state, type, tag } = filter;
      const fitting = this.mill.tasks
        .map((task) => task.view())
        .reverse()
        .filter((view) => state === undefined || view.state === state)
        .filter((view) => type === undefined || view.type === type)
        .filter((view) => tag === undefined || view.tags.includes(tag));
      const end = Number(cursor) + limit;
      return { tasks: fitting.slice(Number(cursor), end), cursor: end < fitting.length ? String(end) : null };
    });
  }

  cancel(id: string, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => {
      const task = this.mill.find(id);
      if (task.hasEnded) throw new MillraceError('TASK_ENDED', `Task ${id} has ${task.state} already.`);
      this.mill.end(task, { state: 'cancelled', error: new MillraceError('CANCELLED', 'It was cancelled.') });
      return task.view();
    });
  }

  retry(id: string, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => {
      const task = this.mill.find(id);
      const { state } = task;
      if (!task.hasEnded || state === 'succeeded')
        throw new MillraceError('TASK_NOT_FAILED', `Task ${id} is ${state}.`);
      this.mill.putBack(task);
      return task.view();
    });
  }

  retryAll({ type, family, code }: RetryFilter, options: CallOptions): Promise<RetriedMany> {
    return this.call(options, () => {
      const failed = this.mill.tasks
        .filter((task) => task.state === 'failed')
        .filter((task) => type === undefined || task.parsed.taskType.type === type)
        .filter((task) => family === undefined || task.family === family)
        .filter((task) => code === undefined || task.view().error?.code === code);
      for (const task of failed) this.mill.putBack(task);
      return { retried: failed.length, more: false };
    });
  }

  changePriority(id: string, priority: Priority, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => {
      const task = this.mill.find(id);
      const { state } = task;
      if (state !== 'queued' && state !== 'scheduled')
        throw new MillraceError('TASK_NOT_WAITING', `Task ${id} is ${state}.`);
      task.priority = priorityNumber(priority);
      return task.view();
    });
  }

  createCollection(name: string, settings: CollectionSettings, options: CallOptions): Promise<CollectionView> {
    return this.call(options, () => this.mill.collections.put(name, settings, this.mill.now));
  }

  collection(name: string, options: CallOptions): Promise<CollectionView> {
    return this.call(options, () => this.mill.collections.get(name));
  }

  collections(options: CallOptions): Promise<CollectionView[]> {
    return this.call(options, () => this.mill.collections.list());
  }

  dropCollection(name: string, options: CallOptions): Promise<void> {
    return this.call(options, () => this.mill.collections.drop(name));
  }

  putSchedule(name: string, schedule: Schedule, options: CallOptions): Promise<ScheduleView> {
    return this.call(options, () => this.mill.schedules.put(name, schedule, this.mill.now));
  }

  schedule(name: string, options: CallOptions): Promise<ScheduleView> {
    return this.call(options, () => this.mill.schedules.get(name));
  }

  schedules(options: CallOptions): Promise<ScheduleView[]> {
    return this.call(options, () => this.mill.schedules.list());
  }

  deleteSchedule(name: string, options: CallOptions): Promise<void> {
    return this.call(options, () => this.mill.schedules.remove(name));
  }

  queues(options: CallOptions): Promise<QueueReport[]> {
    return this.call(options, () => families.map((family) => this.reportOf(family)));
  }

  pause(family: Family, options: CallOptions): Promise<void> {
    return this.call(options, () => void this.mill.paused.add(family));
  }

  resume(family: Family, options: CallOptions): Promise<void> {
    return this.call(options, () => {
      this.mill.paused.delete(family);
      this.mill.stir();
    });
  }

  workers(options: CallOptions): Promise<WorkerBeat[]> {
    return this.call(options, () => []);
  }

  taskTypes(options: CallOptions): Promise<TaskTypeView[]> {
    return this.call(options, () => taskTypeViews(this.mill.door));
  }

  async close(): Promise<void> {
    this.closing.abort(closed());
  }

  private async untilEnded(id: string, bound: WaitBound): Promise<TestTask> {
    this.check();
    const task = this.mill.find(id);
    await testTaskEnds(task, bound, this.closing.signal);
    return task;
  }

  private reportOf(family: Family): QueueReport {
    const tasks = this.mill.tasks.filter((task) => task.family === family);
    const count = (...states: TaskState[]) => tasks.filter(({ state }) => states.includes(state)).length;
    const counts = {
      scheduled: count('scheduled'),
      queued: count('queued'),
      running: count('running'),
      succeeded: count('succeeded'),
      failed: count('failed', 'cancelled', 'expired'),
    };
    const facts = { ...counts, due: 0, parents: 0, paused: this.mill.paused.has(family), waiting: [], ended: [] };
    return reportOf({ family, facts, workers: 1, now: this.mill.now });
  }

  private call<T>({ signal }: CallOptions, act: () => T): Promise<T> {
    return raced(signal, async () => {
      this.check();
      return act();
    });
  }

  private check(): void {
    if (this.closing.signal.aborted) throw closed();
    if (this.mill.isAway) throw new MillraceError('REDIS_UNAVAILABLE', 'The test wants Redis to be away.');
  }
}

function closed(): MillraceError {
  return new MillraceError('CLOSED', 'The client is closed.');
}
