import type { MillraceError } from '@millrace/shared/errors';
import { silentLogger } from '@millrace/shared/logger';
import { type BuiltinType, createCatalog, type InputOf } from '@millrace/shared/tasks/catalog';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { TaskView } from '@millrace/shared/tasks/task';
import type { CollectionSettings } from '@millrace/shared/tasks/vector/collection';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import { boundsOf, type GivenBounds } from './admission-bounds.ts';
import { type EmbedOptions, embedTexts } from './embed.ts';
import type { EnqueueOneOptions, EnqueueOptions } from './enqueue-options.ts';
import { anonymous } from './idempotency.ts';
import type { ListBounds, ListFilter, ListPage } from './list.ts';
import { type Mill, openMill } from './mill.ts';
import { Task } from './task.ts';
import { waitForRoom } from './wait-for-room.ts';

export interface MillraceOptions extends GivenBounds {
  /** The Redis of the mill, e.g. redis://127.0.0.1:6379. */
  readonly redisUrl: string;
  /** As MILLRACE_PREFIX of the workers; default `{millrace}`. */
  readonly prefix?: string;
}

/** What a Node app enqueues with. Construct one per process, and close it in the end. */
export class Millrace {
  private readonly mill: Mill;

  /** @throws MillraceError CONFIG_INVALID. */
  constructor({ redisUrl, prefix = '{millrace}', ...bounds }: MillraceOptions) {
    this.mill = openMill({
      redisUrl,
      prefix,
      door: { catalog: createCatalog() },
      bounds: boundsOf(bounds),
      log: silentLogger(),
      name: 'millrace:client',
    });
  }

  /**
   * Enqueues one task; when this resolves, Redis has it.
   * @throws MillraceError INVALID_INPUT with every problem at once, INPUT_TOO_LARGE, UNSUPPORTED_TASK_TYPE, QUEUE_FULL,
   * IDEMPOTENCY_MISMATCH, REDIS_UNAVAILABLE (within 3 s; with an idempotencyKey it is safe to try again).
   */
  async enqueue<T extends BuiltinType>(
    type: T,
    input: InputOf<T>,
    { waitForRoomMs = 0, idempotencyKey, ...options }: EnqueueOneOptions = {},
  ): Promise<Task<T>> {
    const { enqueuer, idempotency } = this.mill;
    const submitted = { ...options, type, input };
    const prepared = enqueuer.prepare(submitted);
    const key = idempotencyKey === undefined ? undefined : { caller: anonymous, key: idempotencyKey };
    const claim = key === undefined ? undefined : await idempotency.claim(prepared, key, submitted);
    const { id } = claim?.prepared ?? prepared;
    if (claim?.known !== true) await waitForRoom(waitForRoomMs, () => enqueuer.add({ ...prepared, id }));
    if (key !== undefined) await idempotency.confirm({ ...prepared, id }, key);
    return new Task(this.mill, id, type);
  }

  /**
   * Enqueues many tasks of one type in few round trips; all or an error that says which failed first.
   * @throws MillraceError as `enqueue` does; tasks before the one that failed may have been accepted.
   */
  async enqueueMany<T extends BuiltinType>(
    type: T,
    inputs: readonly InputOf<T>[],
    { waitForRoomMs = 0, ...options }: EnqueueOptions = {},
  ): Promise<Task<T>[]> {
    const tasks = new Array<Task<T>>(inputs.length);
    let left = inputs.map((input, index) => ({ index, submitted: { ...options, type, input } }));
    await waitForRoom(waitForRoomMs, async () => {
      const outcomes = await this.mill.enqueuer.addMany(left.map(({ submitted }) => submitted));
      const refusals: MillraceError[] = [];
      left = left.filter(({ index }, position) => {
        const outcome = outcomes[position];
        if (outcome !== undefined && 'id' in outcome) tasks[index] = new Task(this.mill, outcome.id, type);
        else if (outcome !== undefined) refusals.push(outcome.error);
        return tasks[index] === undefined;
      });
      // What cannot be mended by waiting comes first.
      const refusal = refusals.find(({ code }) => code !== 'QUEUE_FULL') ?? refusals[0];
      if (refusal !== undefined) throw refusal;
    });
    return tasks;
  }

  /**
   * The vectors of any number of texts, in order; they are split into tasks by themselves.
   * @throws MillraceError of the first task that fails.
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return await embedTexts(
      (batch, taskOptions) => this.enqueue('inference.embed', batch, taskOptions),
      texts,
      options,
    );
  }

  /** Any task as it stands, however it was enqueued. @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE. */
  async get(id: string): Promise<TaskView> {
    return await this.mill.reader.view(id);
  }

  /**
   * Tasks, newest first, a page at a time; the cursor of a page leads to the next, and is null after the last.
   * @throws MillraceError INVALID_REQUEST, REDIS_UNAVAILABLE.
   */
  async list({ limit = 50, cursor, ...filter }: ListFilter & Partial<ListBounds> = {}): Promise<ListPage> {
    return await this.mill.lister.list(filter, { limit, cursor });
  }

  /**
   * Ends a task, whether it waits or runs; the answer may still say `running` when the worker takes longer than 2 s to stop.
   * @throws MillraceError TASK_ENDED, TASK_NOT_FOUND, TASK_HAS_PARENT, REDIS_UNAVAILABLE.
   */
  async cancel(id: string): Promise<TaskView> {
    return await this.mill.steering.cancel(id);
  }

  /**
   * Tries a task again that failed, expired or was cancelled.
   * @throws MillraceError TASK_NOT_FAILED, TASK_NOT_FOUND, RESULT_EXPIRED, REDIS_UNAVAILABLE.
   */
  async retry(id: string): Promise<TaskView> {
    return await this.mill.retrying.retry(id);
  }

  /** Why a task is where it is, in words and facts. @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE. */
  async explain(id: string): Promise<Explanation> {
    return await this.mill.explainer.explain(id);
  }

  /**
   * Creates a collection for points; one that is there with the same settings stays as it is.
   * @throws MillraceError INVALID_REQUEST, COLLECTION_DIFFERS, REDIS_UNAVAILABLE.
   */
  async createCollection(name: string, settings: CollectionSettings): Promise<CollectionView> {
    return (await this.mill.collections.put(name, settings)).view;
  }

  /** A collection and the copies that workers have. @throws MillraceError COLLECTION_NOT_FOUND, REDIS_UNAVAILABLE. */
  async collection(name: string): Promise<CollectionView> {
    return await this.mill.collections.get(name);
  }

  /** Every collection, by name. @throws MillraceError REDIS_UNAVAILABLE. */
  async collections(): Promise<CollectionView[]> {
    return await this.mill.collections.list();
  }

  /** Drops a collection and all its points. @throws MillraceError COLLECTION_NOT_FOUND, REDIS_UNAVAILABLE. */
  async dropCollection(name: string): Promise<void> {
    await this.mill.collections.drop(name);
  }

  /** Ends the connections; tasks go on. */
  async close(): Promise<void> {
    await this.mill.close();
  }
}
