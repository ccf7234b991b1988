import type { QueueReport } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import type { Family, TaskView } from '@millrace/shared/tasks/task';
import type { TaskTypeView } from '@millrace/shared/tasks/task-type-view';
import type { CollectionSettings } from '@millrace/shared/tasks/vector/collection';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import { defaultTimeoutMs, type WaitBound } from './ends-within.ts';
import type { ListBounds, ListFilter, ListPage } from './list.ts';
import type { RetriedMany, RetryFilter } from './retry.ts';
import type { CallOptions, FollowedEvent, Priority, Schedule, Transport } from './transport.ts';

/**
 * The part of a client that looks at a mill and steers it, whatever the types of its tasks. Every method also rejects with
 * MillraceError REDIS_UNAVAILABLE (by Redis, or by an API that has none), API_UNAVAILABLE, UNAUTHORIZED or FORBIDDEN (by HTTP),
 * CLOSED, and with the reason of its signal.
 */
export class Operator {
  protected readonly transport: Transport;

  protected constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Any task as it stands, however it was enqueued. @throws MillraceError TASK_NOT_FOUND. */
  get(id: string, options: CallOptions = {}): Promise<TaskView> {
    return this.transport.get(id, options);
  }

  /**
   * Tasks, newest first, a page (1 to 200, default 50) at a time; the cursor of a page leads to the next, and is null after the last.
   * @throws MillraceError INVALID_REQUEST.
   */
  list({ limit = 50, ...wanted }: ListFilter & Partial<ListBounds> = {}, options: CallOptions = {}): Promise<ListPage> {
    return this.transport.list({ limit, ...wanted }, options);
  }

  /**
   * Waits for the end of any task, and gives its output, vectors as `Float32Array[]`; default 60 s.
   * @throws MillraceError as `Task.result`.
   */
  result(
    id: string,
    { timeoutMs = defaultTimeoutMs, signal }: Partial<WaitBound> = {},
  ): Promise<Record<string, unknown>> {
    return this.transport.result(id, { timeoutMs, signal });
  }

  /** Any task as soon as it has ended, or as it stands after `timeoutMs`, default 60 s. @throws MillraceError TASK_NOT_FOUND. */
  wait(id: string, { timeoutMs = defaultTimeoutMs, signal }: Partial<WaitBound> = {}): Promise<TaskView> {
    return this.transport.wait(id, { timeoutMs, signal });
  }

  /** Why a task is where it is, in words and facts. @throws MillraceError TASK_NOT_FOUND. */
  explain(id: string, options: CallOptions = {}): Promise<Explanation> {
    return this.transport.explain(id, options);
  }

  /**
   * What happens to a task: its state and then each change, how far it is, and in the end all of it, after which there is no more.
   * @throws MillraceError TASK_NOT_FOUND, also when it is removed meanwhile.
   */
  follow(id: string, options: CallOptions = {}): AsyncGenerator<FollowedEvent, void, undefined> {
    return this.transport.follow(id, options);
  }

  /**
   * Ends a task, whether it waits or runs; the answer may still say `running` when the worker takes longer than 2 s to stop.
   * @throws MillraceError TASK_ENDED, TASK_NOT_FOUND, TASK_HAS_PARENT.
   */
  cancel(id: string, options: CallOptions = {}): Promise<TaskView> {
    return this.transport.cancel(id, options);
  }

  /**
   * Tries a task again that failed, expired or was cancelled.
   * @throws MillraceError TASK_NOT_FAILED, TASK_NOT_FOUND, RESULT_EXPIRED, QUEUE_FULL.
   */
  retry(id: string, options: CallOptions = {}): Promise<TaskView> {
    return this.transport.retry(id, options);
  }

  /** Tries all failed tasks of a type or family again, up to 10,000: `more` says that there were more. */
  retryAll(filter: RetryFilter, options: CallOptions = {}): Promise<RetriedMany> {
    return this.transport.retryAll(filter, options);
  }

  /**
   * Gives a waiting task another priority; it goes behind those that have it already.
   * @throws MillraceError TASK_NOT_FOUND, TASK_NOT_WAITING.
   */
  changePriority(id: string, priority: Priority, options: CallOptions = {}): Promise<TaskView> {
    return this.transport.changePriority(id, priority, options);
  }

  /**
   * Creates a collection for points; one that is there with the same settings stays as it is.
   * @throws MillraceError INVALID_REQUEST, COLLECTION_DIFFERS, QUEUE_FULL.
   */
  createCollection(name: string, settings: CollectionSettings, options: CallOptions = {}): Promise<CollectionView> {
    return this.transport.createCollection(name, settings, options);
  }

  /** A collection and the copies that workers have. @throws MillraceError COLLECTION_NOT_FOUND. */
  collection(name: string, options: CallOptions = {}): Promise<CollectionView> {
    return this.transport.collection(name, options);
  }

  /** Every collection, by name. */
  collections(options: CallOptions = {}): Promise<CollectionView[]> {
    return this.transport.collections(options);
  }

  /** Drops a collection and all its points; there is no way back. @throws MillraceError COLLECTION_NOT_FOUND. */
  dropCollection(name: string, options: CallOptions = {}): Promise<void> {
    return this.transport.dropCollection(name, options);
  }

  /**
   * Makes a schedule, or changes the one of that name: a task that comes again and again.
   * @throws MillraceError INVALID_REQUEST, INVALID_INPUT, INPUT_TOO_LARGE, UNSUPPORTED_TASK_TYPE, QUEUE_FULL.
   */
  putSchedule(name: string, schedule: Schedule, options: CallOptions = {}): Promise<ScheduleView> {
    return this.transport.putSchedule(name, schedule, options);
  }

  /** A schedule, with the input of its tasks. @throws MillraceError SCHEDULE_NOT_FOUND. */
  schedule(name: string, options: CallOptions = {}): Promise<ScheduleView> {
    return this.transport.schedule(name, options);
  }

  /** Every schedule by name, without inputs. */
  schedules(options: CallOptions = {}): Promise<ScheduleView[]> {
    return this.transport.schedules(options);
  }

  /** Ends a schedule; a run that is due or has begun goes on. @throws MillraceError SCHEDULE_NOT_FOUND. */
  deleteSchedule(name: string, options: CallOptions = {}): Promise<void> {
    return this.transport.deleteSchedule(name, options);
  }

  /** How the queue of each family stands: counts, the oldest, throughput, time to drain, wanted workers. */
  queues(options: CallOptions = {}): Promise<QueueReport[]> {
    return this.transport.queues(options);
  }

  /** Lets no worker begin a task of a family until `resume`; what runs goes on, and tasks are accepted as before. */
  pause(family: Family, options: CallOptions = {}): Promise<void> {
    return this.transport.pause(family, options);
  }

  /** Lets workers begin tasks of a family again. */
  resume(family: Family, options: CallOptions = {}): Promise<void> {
    return this.transport.resume(family, options);
  }

  /** The workers that live, by their last heartbeat. */
  workers(options: CallOptions = {}): Promise<WorkerBeat[]> {
    return this.transport.workers(options);
  }

  /** Every task type with limits, an example and the JSON Schemas of input and output: by Redis those that this client knows. */
  taskTypes(options: CallOptions = {}): Promise<TaskTypeView[]> {
    return this.transport.taskTypes(options);
  }

  /** Ends the connections and all that waits; tasks go on. May be called twice. */
  close(): Promise<void> {
    return this.transport.close();
  }
}
