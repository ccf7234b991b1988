import type { QueueReport } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Catalog } from '@millrace/shared/tasks/catalog';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import { endedStates, type Family, type TaskView } from '@millrace/shared/tasks/task';
import type { TaskTypeView } from '@millrace/shared/tasks/task-type-view';
import type { CollectionSettings } from '@millrace/shared/tasks/vector/collection';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import type { WaitBound } from '../ends-within.ts';
import { waitTimeout } from '../failed-task.ts';
import type { ListBounds, ListFilter, ListPage } from '../list.ts';
import type { RetriedMany, RetryFilter } from '../retry.ts';
import type { RunTransport } from '../run-transport.ts';
import type { CallOptions, FollowedEvent, Parcel, Priority, Schedule, Submission, Transport } from '../transport.ts';
import { followByHttp } from './http-follow.ts';
import { outputOf } from './http-output.ts';
import { HttpParcel } from './http-parcel.ts';
import { collectionPath, schedulePath, taskPath } from './http-paths.ts';
import { type ApiRequest, ApiRequests, type HttpAddress } from './http-requests.ts';
import { HttpRuns } from './http-runs.ts';
import { ApiWaits } from './http-waits.ts';

/** A mill by its API, which checks what it is sent. */
export class HttpTransport implements Transport {
  readonly runs: RunTransport;
  private readonly requests: ApiRequests;
  private readonly waits: ApiWaits;
  private readonly catalog: Catalog;

  /** `catalog`: the types whose outputs have vectors. @throws MillraceError CONFIG_INVALID. */
  constructor(address: HttpAddress, catalog: Catalog) {
    this.requests = new ApiRequests(address);
    this.waits = new ApiWaits(this.requests);
    this.runs = new HttpRuns(this.requests, catalog);
    this.catalog = catalog;
  }

  prepare(tasks: readonly Submission[], { idempotencyKey }: { idempotencyKey?: string | undefined }): Parcel {
    return new HttpParcel(this.requests, tasks, idempotencyKey);
  }

  async result(id: string, bound: WaitBound): Promise<Record<string, unknown>> {
    const view = await this.waits.untilEnded(id, bound, 'encoding=base64');
    if (!endedStates.includes(view.state)) throw waitTimeout(id, bound.timeoutMs);
    return outputOf(view, this.catalog);
  }

  async wait(id: string, bound: WaitBound): Promise<TaskView> {
    return await this.waits.untilEnded(id, bound, 'result=false');
  }

  async *follow(id: string, { signal }: CallOptions): AsyncGenerator<FollowedEvent, void, undefined> {
    yield* followByHttp(this.requests, `${taskPath(id)}/events`, signal);
  }

  async get(id: string, { signal }: CallOptions): Promise<TaskView> {
    return await this.requests.json({ path: `${taskPath(id)}?result=false`, signal });
  }

  async explain(id: string, { signal }: CallOptions): Promise<Explanation> {
    return await this.requests.json({ path: `${taskPath(id)}/explain`, signal });
  }

  async list(wanted: ListFilter & ListBounds, { signal }: CallOptions): Promise<ListPage> {
    const given = Object.entries(wanted).filter(([, value]) => value !== undefined);
    const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
    return await this.requests.json({ path: `/v1/tasks?${query}`, signal });
  }

  async cancel(id: string, { signal }: CallOptions): Promise<TaskView> {
    return await this.change(id, { method: 'POST', path: `${taskPath(id)}/cancel`, signal, doneBefore: 'TASK_ENDED' });
  }

  async retry(id: string, { signal }: CallOptions): Promise<TaskView> {
    return await this.change(id, {
      method: 'POST',
      path: `${taskPath(id)}/retry`,
      signal,
      doneBefore: 'TASK_NOT_FAILED',
    });
  }

  async retryAll(filter: RetryFilter, { signal }: CallOptions): Promise<RetriedMany> {
    return await this.requests.json({ method: 'POST', path: '/v1/tasks/retry', body: filter, signal });
  }

  async changePriority(id: string, priority: Priority, { signal }: CallOptions): Promise<TaskView> {
    return await this.requests.json({ method: 'POST', path: `${taskPath(id)}/priority`, body: { priority }, signal });
  }

  async createCollection(name: string, settings: CollectionSettings, { signal }: CallOptions): Promise<CollectionView> {
    return await this.requests.json({ method: 'PUT', path: collectionPath(name), body: settings, signal });
  }

  async collection(name: string, { signal }: CallOptions): Promise<CollectionView> {
    return await this.requests.json({ path: collectionPath(name), signal });
  }

  async collections({ signal }: CallOptions): Promise<CollectionView[]> {
    return (await this.requests.json<{ collections: CollectionView[] }>({ path: '/v1/collections', signal }))
      .collections;
  }

  async dropCollection(name: string, { signal }: CallOptions): Promise<void> {
    const doneBefore = 'COLLECTION_NOT_FOUND';
    await this.requests.json({ method: 'DELETE', path: collectionPath(name), signal, doneBefore });
  }

  async putSchedule(name: string, schedule: Schedule, { signal }: CallOptions): Promise<ScheduleView> {
    return await this.requests.json({ method: 'PUT', path: schedulePath(name), body: schedule, signal });
  }

  async schedule(name: string, { signal }: CallOptions): Promise<ScheduleView> {
    return await this.requests.json({ path: schedulePath(name), signal });
  }

  async schedules({ signal }: CallOptions): Promise<ScheduleView[]> {
    return (await this.requests.json<{ schedules: ScheduleView[] }>({ path: '/v1/schedules', signal })).schedules;
  }

  async deleteSchedule(name: string, { signal }: CallOptions): Promise<void> {
    const doneBefore = 'SCHEDULE_NOT_FOUND';
    await this.requests.json({ method: 'DELETE', path: schedulePath(name), signal, doneBefore });
  }

  async queues({ signal }: CallOptions): Promise<QueueReport[]> {
    return (await this.requests.json<{ queues: QueueReport[] }>({ path: '/v1/queues', signal })).queues;
  }

  async pause(family: Family, { signal }: CallOptions): Promise<void> {
    await this.requests.json({ method: 'POST', path: `/v1/queues/${family}/pause`, signal });
  }

  async resume(family: Family, { signal }: CallOptions): Promise<void> {
    await this.requests.json({ method: 'POST', path: `/v1/queues/${family}/resume`, signal });
  }

  async workers({ signal }: CallOptions): Promise<WorkerBeat[]> {
    return (await this.requests.json<{ workers: WorkerBeat[] }>({ path: '/v1/workers', signal })).workers;
  }

  async taskTypes({ signal }: CallOptions): Promise<TaskTypeView[]> {
    return (await this.requests.json<{ types: TaskTypeView[] }>({ path: '/v1/task-types', signal })).types;
  }

  async close(): Promise<void> {
    this.requests.close();
  }

  /** A task after it was changed, also when only a repeat was answered. */
  private async change(id: string, request: ApiRequest): Promise<TaskView> {
    const view = await this.requests.json<TaskView | undefined>(request);
    return view ?? (await this.get(id, { signal: request.signal }));
  }
}
