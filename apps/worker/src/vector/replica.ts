import { MillraceError } from '@millrace/shared/errors';
import type { StoredPoint } from '@millrace/shared/redis/point-bytes';
import type { Points } from '@millrace/shared/redis/points';
import type { Collection, Moment } from '@millrace/shared/tasks/vector/collection';
import type { IndexBackend, VectorIndex } from './backends/vector-index.ts';
import { IndexBuild, type IndexTuning } from './index-build.ts';
import { PointStore } from './point-store.ts';
import { RecentQueries } from './recent-queries.ts';

/**
 * - `loading`: nothing is answered yet; its points come from a snapshot or from Redis.
 * - `following`: it has all that there was at its moment, and applies the change log from there.
 * - `rereading`: the log does not lead on from its moment, since it was trimmed, or Redis has lost its newest writes and has others
 *   now; all points are read, and those that are other ones are put right. Nothing is answered meanwhile.
 * - `gone`: the collection was dropped, or made anew under the same name, or memory was needed; another replica takes its place.
 */
export type ReplicaState = 'loading' | 'following' | 'rereading' | 'gone';

/** What may come after each state. */
export const replicaMoves: Readonly<Record<ReplicaState, readonly ReplicaState[]>> = {
  loading: ['following', 'gone'],
  following: ['rereading', 'gone'],
  rereading: ['following', 'gone'],
  gone: [],
};

interface ReplicaParams {
  readonly collection: Collection;
  readonly points: Points;
  readonly backend: IndexBackend;
  readonly tuning: IndexTuning;
  /** The newest good snapshot of the collection. */
  readonly snapshotOf: (collection: Collection) => Promise<LoadedReplica | undefined>;
}

/** Points read in one round trip while the change log is applied. */
const readAtOnce = 256;

/** A collection as a snapshot gave it. */
export interface LoadedReplica {
  readonly moment: Moment;
  readonly store: PointStore;
  readonly index: VectorIndex;
  /** Slots that are in the index. */
  readonly indexed: Iterable<number>;
}

/** What a replica has to have. */
export interface Target {
  /** As Redis said. */
  readonly moment: Moment;
  /** The version that the replica had before Redis was asked: if Redis says less, it has lost writes. */
  readonly before: number;
}

/**
 * One worker's copy of a collection, and the index over it. It is at a moment: everything that was written up to it, and perhaps
 * some of what came later, for it reads points as they are now. Every step may be done again. Steps, and looks at it, wait for
 * one another.
 */
export class Replica {
  readonly collection: Collection;
  store: PointStore;
  build: IndexBuild;
  private readonly params: ReplicaParams;
  private reached: Moment = { version: 0, mark: 0 };
  private condition: ReplicaState = 'loading';
  private last: Promise<unknown> = Promise.resolve();
  /** Where its points came from at first. */
  origin: 'redis' | 'snapshot' = 'redis';
  /** How far loading from Redis has come: points so far. */
  loaded = 0;
  lastUsedAt = 0;
  readonly queries = new RecentQueries();
  /** Candidates of a search by the index; raised when it finds too little. */
  ef: number;
  /** recall@10 of sampled searches by the index, against exact ones. */
  recall: number | null = null;

  constructor(params: ReplicaParams) {
    const { collection, backend, tuning } = params;
    this.params = params;
    this.collection = collection;
    this.ef = collection.hnsw.ef;
    this.store = new PointStore(collection.dimensions);
    this.build = new IndexBuild({ collection, store: this.store, backend, tuning });
  }

  get moment(): Moment {
    return this.reached;
  }

  get version(): number {
    return this.reached.version;
  }

  get state(): ReplicaState {
    return this.condition;
  }

  get bytes(): number {
    return this.store.bytes + this.build.bytes;
  }

  /** Gives up: whoever waits for it waits no longer, and the memory of its index is free. */
  leave(): void {
    if (this.isGone) return;
    this.move('gone');
    this.build.close();
  }

  /**
   * Brings it to a moment, then lets `look` look at it; nothing is applied meanwhile. Undefined when it is gone, or is not there
   * after all because Redis has lost what it said.
   */
  async at<T>(target: Target, look: () => Promise<T>): Promise<T | undefined> {
    const step = async () => {
      await this.advance(target);
      return this.condition === 'following' && this.has(target.moment) ? await look() : undefined;
    };
    const next = this.last.then(step, step);
    this.last = next.catch(() => {});
    return await next;
  }

  private async advance(target: Target): Promise<void> {
    if (this.isGone) return;
    try {
      if (this.condition === 'loading') await this.load(target.moment);
      else if (target.moment.version < target.before) await this.reread(target.moment);
      while (this.isBehind(target.moment)) await this.follow(target.moment);
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'COLLECTION_CHANGED') throw error;
      this.leave();
    }
  }

  private async load(moment: Moment): Promise<void> {
    const { collection, points, backend, tuning, snapshotOf } = this.params;
    const from = await snapshotOf(collection);
    if (this.isGone) return;
    if (from === undefined) {
      await this.readAll(moment);
      return;
    }
    this.build.close();
    this.store = from.store;
    this.build = new IndexBuild({ collection, store: from.store, backend, tuning }, from);
    this.origin = 'snapshot';
    this.reached = from.moment;
    this.loaded = from.store.size;
    this.move('following');
    // It may be of a history that Redis has lost since.
    if ((await points.changes(collection, from.moment)) === undefined) await this.reread(moment);
  }

  /** Applies some of the log, if it leads on. */
  private async follow(moment: Moment): Promise<void> {
    const changes = this.condition === 'rereading' ? undefined : await this.changes();
    const last = changes?.at(-1);
    // Nothing more in the log, and still behind: what was said is not there any more.
    if (changes === undefined || last === undefined) {
      await this.reread(moment);
      return;
    }
    await this.apply([...new Set(changes.flatMap(({ ids }) => ids))]);
    this.reached = { version: last.version, mark: last.mark };
  }

  private async changes() {
    return await this.params.points.changes(this.collection, this.reached);
  }

  /** Applies what points are now, whatever they were. */
  private async apply(ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += readAtOnce) {
      const some = ids.slice(start, start + readAtOnce);
      const points = await this.params.points.read(this.collection, some);
      if (this.isGone) return;
      for (const [index, id] of some.entries()) this.set(id, points[index]);
    }
  }

  private async reread(moment: Moment): Promise<void> {
    if (this.condition === 'following') this.move('rereading');
    await this.readAll(moment);
  }

  /**
   * Reads all points. It is at `moment` afterwards, which Redis had before the scan began: what is there from the beginning to the
   * end of a scan is in it, and what was written meanwhile is in the log.
   */
  private async readAll(moment: Moment): Promise<void> {
    const seen = new Set<string>();
    this.loaded = 0;
    for await (const piece of this.params.points.scan(this.collection)) {
      if (this.isGone) return;
      for (const point of piece) {
        seen.add(point.id);
        this.set(point.id, point);
      }
      this.loaded = seen.size;
    }
    for (const id of [...this.store.allIds()]) if (!seen.has(id)) this.set(id, undefined);
    this.reached = { version: moment.version, mark: moment.mark };
    if (!this.isGone) this.move('following');
  }

  private set(id: string, point: StoredPoint | undefined): void {
    const slot = this.store.slotOf(id);
    if (slot !== undefined) {
      if (point !== undefined && this.store.isOf(slot, point.stamp)) return;
      this.store.remove(id);
      this.build.remove(slot);
    }
    if (point !== undefined) this.build.add(this.store.put(point));
  }

  private isBehind(moment: Moment): boolean {
    return !this.isGone && (this.condition === 'rereading' || !this.has(moment));
  }

  private has({ version, mark }: Moment): boolean {
    const { reached } = this;
    return reached.version > version || (reached.version === version && reached.mark === mark);
  }

  /** Whether somebody has let it go, between two steps. */
  private get isGone(): boolean {
    return this.condition === 'gone';
  }

  private move(to: ReplicaState): void {
    if (!replicaMoves[this.condition].includes(to)) throw new Error(`a replica went from ${this.condition} to ${to}`);
    this.condition = to;
  }
}
