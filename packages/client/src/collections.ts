import { MillraceError } from '@millrace/shared/errors';
import type { Collections } from '@millrace/shared/redis/collections';
import { withRedis } from '@millrace/shared/redis/connection';
import type { Points } from '@millrace/shared/redis/points';
import type { WorkerBeat, WorkerRegistry } from '@millrace/shared/redis/workers';
import { problemsOf } from '@millrace/shared/tasks/problems';
import {
  type CollectionSettings,
  type CollectionState,
  collectionName,
  collectionSettings,
} from '@millrace/shared/tasks/vector/collection';
import type { CollectionView, PointView } from '@millrace/shared/tasks/vector/collection-view';

interface CollectionAdminParams {
  readonly collections: Collections;
  readonly points: Points;
  readonly workers: WorkerRegistry;
  readonly now: () => number;
}

/** Makes, describes and drops collections. */
export class CollectionAdmin {
  private readonly params: CollectionAdminParams;

  constructor(params: CollectionAdminParams) {
    this.params = params;
  }

  /**
   * Creates a collection; one that is there with the same settings stays as it is.
   * @throws MillraceError INVALID_REQUEST with every problem at once, COLLECTION_DIFFERS, QUEUE_FULL, REDIS_UNAVAILABLE.
   */
  async put(name: string, settings: unknown): Promise<{ readonly created: boolean; readonly view: CollectionView }> {
    const { collections, now } = this.params;
    const parsed = parseCollection(name, settings);
    const { created, state } = await withRedis(() => collections.create(name, parsed, now()));
    return { created, view: viewOf(state, await this.workers()) };
  }

  /** @throws MillraceError COLLECTION_NOT_FOUND, REDIS_UNAVAILABLE. */
  async get(name: string): Promise<CollectionView> {
    const state = await withRedis(() => this.params.collections.read(name));
    if (state === undefined) throw collectionNotFound(name);
    return viewOf(state, await this.workers());
  }

  /** Every collection, by name. @throws MillraceError REDIS_UNAVAILABLE. */
  async list(): Promise<CollectionView[]> {
    const states = await withRedis(() => this.params.collections.list());
    const workers = await this.workers();
    return states.map((state) => viewOf(state, workers));
  }

  /**
   * One point of a collection.
   * @throws MillraceError COLLECTION_NOT_FOUND, POINT_NOT_FOUND, COLLECTION_CHANGED, REDIS_UNAVAILABLE.
   */
  async point(name: string, id: string): Promise<PointView> {
    const { collections, points } = this.params;
    const state = await withRedis(() => collections.read(name));
    if (state === undefined) throw collectionNotFound(name);
    const [point] = await withRedis(() => points.read(state.collection, [id]));
    if (point === undefined) {
      const detail = `There is no point ${JSON.stringify(id.slice(0, 100))} in collection ${name}.`;
      throw new MillraceError('POINT_NOT_FOUND', detail);
    }
    return { id, version: point.stamp.version, vector: Array.from(point.vector), metadata: point.metadata };
  }

  /** Drops a collection and all its points. @throws MillraceError COLLECTION_NOT_FOUND, REDIS_UNAVAILABLE. */
  async drop(name: string): Promise<void> {
    if (!(await withRedis(() => this.params.collections.drop(name)))) throw collectionNotFound(name);
  }

  private async workers(): Promise<WorkerBeat[]> {
    return await withRedis(() => this.params.workers.list());
  }
}

/** A collection as it is asked for. @throws MillraceError INVALID_REQUEST with every problem at once. */
export function parseCollection(name: string, settings: unknown): CollectionSettings {
  const ofName = collectionName.safeParse(name);
  const ofSettings = collectionSettings.safeParse(settings);
  if (ofName.success && ofSettings.success) return ofSettings.data;
  const problems = [
    ...problemsOf(ofName.error?.issues ?? [], name, 'name'),
    ...problemsOf(ofSettings.error?.issues ?? [], settings),
  ];
  const [first] = problems;
  const detail = `${first?.path || 'the body'}: got ${first?.got}, expected ${first?.expected}.`;
  throw new MillraceError('INVALID_REQUEST', detail, { problems });
}

function viewOf(
  { collection, version, fingerprint, points }: CollectionState,
  workers: readonly WorkerBeat[],
): CollectionView {
  const { generation: _generation, createdAt, ...settings } = collection;
  return {
    ...settings,
    fingerprint,
    createdAt: new Date(createdAt).toISOString(),
    version,
    points,
    workers: workers.flatMap(({ id, replicas = [] }) =>
      replicas
        .filter((replica) => replica.collection === collection.name)
        .map(({ collection: _name, ...replica }) => ({ worker: id, ...replica })),
    ),
  };
}

export function collectionNotFound(name: string): MillraceError {
  return new MillraceError('COLLECTION_NOT_FOUND', `There is no collection ${JSON.stringify(name.slice(0, 100))}.`);
}
