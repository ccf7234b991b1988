import type { MillraceError } from '@millrace/shared/errors';
import type { QueueReport } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import type { Family, TaskOptions, TaskView } from '@millrace/shared/tasks/task';
import type { TaskTypeView } from '@millrace/shared/tasks/task-type-view';
import type { CollectionSettings } from '@millrace/shared/tasks/vector/collection';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import type { WaitBound } from './ends-within.ts';
import type { ListBounds, ListFilter, ListPage } from './list.ts';
import type { RetriedMany, RetryFilter } from './retry.ts';
import type { RunTransport } from './run-transport.ts';
import type { TaskEvent } from './task-events.ts';

/** A task on its way to a mill. */
export interface Submission extends TaskOptions {
  readonly type: string;
  readonly input: unknown;
}

/** When tasks come again, and which: by `cron` (in the time zone `tz`) or by `everyMs`. */
export interface Schedule {
  readonly cron?: string;
  readonly everyMs?: number;
  readonly tz?: string;
  readonly task: Omit<Submission, 'delayMs' | 'expiresInMs'>;
}

/** What became of a task that was sent. */
export type SendOutcome = { readonly id: string } | { readonly error: MillraceError };

/**
 * Some tasks on their way. It may be sent again: then those go that were not accepted yet, and what may have arrived never becomes
 * a second task.
 */
export interface Parcel {
  /**
   * What became of each task so far, in order. An error that concerns all of them may also be thrown. `giveUp` ends tries that
   * follow a lost answer; what is under way is waited for, so that nothing is accepted unheard.
   */
  send(giveUp?: AbortSignal): Promise<readonly SendOutcome[]>;
}

/** How a call may be ended early: it rejects with the reason of the signal. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Something that happened to a task. */
export type FollowedEvent = Exclude<TaskEvent, { readonly kind: 'quiet' }>;

export type Priority = NonNullable<TaskOptions['priority']>;

/** How a client reaches a mill. Every method rejects with MillraceError, CLOSED once it is closed, or the reason of a signal. */
export interface Transport {
  /** Nothing is sent yet. `idempotencyKey`: of a single task. */
  prepare(tasks: readonly Submission[], options: { readonly idempotencyKey?: string | undefined }): Parcel;
  /** Waits for the end and gives the output, vectors as rows of float32. */
  result(id: string, bound: WaitBound): Promise<Record<string, unknown>>;
  /** The task as soon as it has ended, or as it stands when the time is over. */
  wait(id: string, bound: WaitBound): Promise<TaskView>;
  /** Up to the end of the task. */
  follow(id: string, options: CallOptions): AsyncGenerator<FollowedEvent, void, undefined>;

  get(id: string, options: CallOptions): Promise<TaskView>;
  explain(id: string, options: CallOptions): Promise<Explanation>;
  list(wanted: ListFilter & ListBounds, options: CallOptions): Promise<ListPage>;
  cancel(id: string, options: CallOptions): Promise<TaskView>;
  retry(id: string, options: CallOptions): Promise<TaskView>;
  retryAll(filter: RetryFilter, options: CallOptions): Promise<RetriedMany>;
  changePriority(id: string, priority: Priority, options: CallOptions): Promise<TaskView>;

  createCollection(name: string, settings: CollectionSettings, options: CallOptions): Promise<CollectionView>;
  collection(name: string, options: CallOptions): Promise<CollectionView>;
  collections(options: CallOptions): Promise<CollectionView[]>;
  dropCollection(name: string, options: CallOptions): Promise<void>;

  putSchedule(name: string, schedule: Schedule, options: CallOptions): Promise<ScheduleView>;
  schedule(name: string, options: CallOptions): Promise<ScheduleView>;
  schedules(options: CallOptions): Promise<ScheduleView[]>;
  deleteSchedule(name: string, options: CallOptions): Promise<void>;

  queues(options: CallOptions): Promise<QueueReport[]>;
  pause(family: Family, options: CallOptions): Promise<void>;
  resume(family: Family, options: CallOptions): Promise<void>;
  workers(options: CallOptions): Promise<WorkerBeat[]>;
  taskTypes(options: CallOptions): Promise<TaskTypeView[]>;

  /** Runs over a corpus. @throws MillraceError CONFIG_INVALID where nobody keeps their files. */
  readonly runs: RunTransport;

  /** Ends all that waits with CLOSED. May be called twice. */
  close(): Promise<void>;
}
