import { MillraceError } from '@millrace/shared/errors';
import { silentLogger } from '@millrace/shared/logger';
import type { QueueTelemetry } from '@millrace/shared/queues';
import { withRedis } from '@millrace/shared/redis/connection';
import { type QueueReport, readQueueReports } from '@millrace/shared/redis/queue-report';
import { assembleOutput } from '@millrace/shared/redis/results';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { Door } from '@millrace/shared/tasks/parse';
import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import type { Family, TaskView } from '@millrace/shared/tasks/task';
import { type TaskTypeView, taskTypeViews } from '@millrace/shared/tasks/task-type-view';
import type { CollectionSettings } from '@millrace/shared/tasks/vector/collection';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import { raced } from '../abortable.ts';
import { type AdmissionBounds, boundsOf, type GivenBounds } from '../admission-bounds.ts';
import type { WaitBound } from '../ends-within.ts';
import { noOutputOf, waitTimeout } from '../failed-task.ts';
import { checkListing, type ListBounds, type ListFilter, type ListPage } from '../list.ts';
import { type Mill, openMill } from '../mill.ts';
import type { RetriedMany, RetryFilter } from '../retry.ts';
import type { RunTransport } from '../run-transport.ts';
import { followTask } from '../task-events.ts';
import type { CallOptions, FollowedEvent, Parcel, Priority, Schedule, Submission, Transport } from '../transport.ts';
import { awaitEnd } from '../wait-for-end.ts';
import { redisParcel } from './redis-parcel.ts';

/** Where a mill's Redis is. */
export interface RedisAddress extends GivenBounds {
  /** The Redis of the mill, e.g. redis://127.0.0.1:6379. */
  readonly redisUrl: string;
  /** As MILLRACE_PREFIX of the workers; default `{millrace}`. */
  readonly prefix?: string;
  /** Lets tasks carry the trace that the app enqueues them in: `new BullMQOtel({ tracerName: 'my-app' })` of bullmq-otel. Default: none. */
  readonly telemetry?: QueueTelemetry;
}

/** Nobody hears of quiet times here; ms. */
const quietMs = 3_600_000;

/** A mill by its Redis: nothing stands between the app and the queue. */
export class RedisTransport implements Transport {
  private readonly mill: Mill;
  private readonly door: Door;
  private closing: Promise<void> | undefined;

  /** @throws MillraceError CONFIG_INVALID. */
  constructor({ redisUrl, prefix = '{millrace}', telemetry, ...given }: RedisAddress, door: Door) {
    const bounds: AdmissionBounds = boundsOf(given);
    this.door = door;
    this.mill = openMill({ redisUrl, prefix, door, bounds, log: silentLogger(), name: 'millrace:client', telemetry });
  }

  get runs(): RunTransport {
    const remedy = 'construct the client with baseUrl instead of redisUrl';
    throw new MillraceError('CONFIG_INVALID', `Runs need the API, which keeps their files: ${remedy}.`);
  }

  prepare(tasks: readonly Submission[], { idempotencyKey }: { idempotencyKey?: string | undefined }): Parcel {
    if (this.closing !== undefined) throw closed();
    return redisParcel(this.mill, tasks, idempotencyKey);
  }

  async result(id: string, bound: WaitBound): Promise<Record<string, unknown>> {
    const { reader } = this.mill;
    const { ended, told } = await awaitEnd(this.mill, id, bound);
    if (!ended) throw waitTimeout(id, bound.timeoutMs);
    const output = told?.kind === 'completed' ? await reader.outputOf(told.data) : undefined;
    if (output !== undefined) return assembleOutput(output);
    const { view, result } = await reader.viewWithResult(id);
    if (result === undefined) throw noOutputOf(view);
    return assembleOutput(result);
  }

  async wait(id: string, bound: WaitBound): Promise<TaskView> {
    await awaitEnd(this.mill, id, bound);
    return await this.get(id, bound);
  }

  async *follow(id: string, { signal }: CallOptions): AsyncGenerator<FollowedEvent, void, undefined> {
    signal?.throwIfAborted();
    const never = new AbortController().signal;
    for await (const event of followTask(this.mill, id, { signal: signal ?? never, quietMs })) {
      if (event.kind !== 'quiet') yield event;
      if (event.kind === 'end') return;
    }
    signal?.throwIfAborted();
    throw closed();
  }

  get(id: string, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => this.mill.reader.view(id));
  }

  explain(id: string, options: CallOptions): Promise<Explanation> {
    return this.call(options, () => this.mill.explainer.explain(id));
  }

  list({ limit, cursor, ...filter }: ListFilter & ListBounds, options: CallOptions): Promise<ListPage> {
    return this.call(options, async () => {
      checkListing(filter, { limit });
      return await this.mill.lister.list(filter, { limit, cursor });
    });
  }

  cancel(id: string, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => this.mill.steering.cancel(id));
  }

  retry(id: string, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => this.mill.retrying.retry(id));
  }

  retryAll(filter: RetryFilter, options: CallOptions): Promise<RetriedMany> {
    return this.call(options, () => this.mill.retrying.retryAll(filter));
  }

  changePriority(id: string, priority: Priority, options: CallOptions): Promise<TaskView> {
    return this.call(options, () => this.mill.steering.changePriority(id, priority));
  }

  createCollection(name: string, settings: CollectionSettings, options: CallOptions): Promise<CollectionView> {
    return this.call(options, async () => (await this.mill.collections.put(name, settings)).view);
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
    return this.call(options, () => this.mill.schedules.put(name, schedule));
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
    return this.call(options, () => readQueueReports(this.mill));
  }

  pause(family: Family, options: CallOptions): Promise<void> {
    return this.call(options, () => this.mill.steering.pause(family));
  }

  resume(family: Family, options: CallOptions): Promise<void> {
    return this.call(options, () => this.mill.steering.resume(family));
  }

  workers(options: CallOptions): Promise<WorkerBeat[]> {
    return this.call(options, () => withRedis(() => this.mill.workers.list()));
  }

  taskTypes(options: CallOptions): Promise<TaskTypeView[]> {
    return this.call(options, async () => taskTypeViews(this.door));
  }

  close(): Promise<void> {
    this.closing ??= this.mill.close();
    return this.closing;
  }

  private call<T>({ signal }: CallOptions, act: () => Promise<T>): Promise<T> {
    return this.closing === undefined ? raced(signal, act) : Promise.reject(closed());
  }
}

function closed(): MillraceError {
  return new MillraceError('CLOSED', 'The client is closed.');
}
