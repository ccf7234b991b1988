import type { Points, StoredPoint } from '@millrace/shared/redis/points';
import type { Collection } from '@millrace/shared/tasks/vector/collection';
import type { IndexBackend, VectorIndex } from './backends/vector-index.ts';
import { IndexBuild, type IndexTuning } from './index-build.ts';
import { PointStore } from './point-store.ts';

/**
 * - `loading`: no search is answered yet; its points come from a snapshot or from Redis.
 * - `following`: it has all of its version, and applies the change log; also while it reads everything anew because the log
 *   was trimmed: a search waits for the version that it has to see in any case.
 * - `gone`: the collection was dropped, or made anew under the same name; another replica takes its place.
 */
export type ReplicaState = 'loading' | 'following' | 'gone';

interface ReplicaParams {
  readonly collection: Collection;
  readonly points: Points;
  readonly backend: IndexBackend;
  readonly tuning: IndexTuning;
}

/** Points read in one round trip while the change log is applied. */
const readAtOnce = 256;

/** A collection as a snapshot gave it. */
export interface LoadedReplica {
  readonly version: number;
  readonly store: PointStore;
  readonly index: VectorIndex;
  /** Slots that are in the index. */
  readonly indexed: Iterable<number>;
}

/**
 * One worker's copy of a collection, and the index over it. It is at a version: everything that was written up to it, and
 * perhaps some of what came later, for it reads points as they are now. Every step may be done again.
 */
export class Replica {
  readonly collection: Collection;
  readonly store: PointStore;
  readonly build: IndexBuild;
  private readonly points: Points;
  private current = 0;
  private condition: ReplicaState = 'loading';
  private work: Promise<void> = Promise.resolve();
  /** How far loading from Redis has come: points so far. */
  loaded = 0;
  lastUsedAt = 0;
  /** Candidates of a search by the index; raised when it finds too little. */
  ef: number;
  /** recall@10 of sampled searches by the index, against exact ones. */
  recall: number | null = null;

  constructor({ collection, points, backend, tuning }: ReplicaParams, from?: LoadedReplica) {
    this.collection = collection;
    this.points = points;
    this.ef = collection.hnsw.ef;
    this.store = from?.store ?? new PointStore(collection.dimensions);
    this.build = new IndexBuild({ collection, store: this.store, backend, tuning }, from);
    if (from === undefined) return;
    this.current = from.version;
    this.loaded = this.store.size;
    this.condition = 'following';
  }

  get version(): number {
    return this.current;
  }

  get state(): ReplicaState {
    return this.condition;
  }

  get bytes(): number {
    return this.store.bytes + this.build.bytes;
  }

  /** The collection is not the same any more; whoever waits for a version waits no longer. */
  leave(): void {
    this.condition = 'gone';
  }

  /**
   * Brings it to a version at least; several calls wait for one another. A version that Redis does not have is not waited for:
   * look at `version` afterwards.
   */
  async catchUp(version: number): Promise<void> {
    if (this.current >= version && this.condition !== 'loading') return;
    const before = this.work;
    this.work = before.catch(() => {}).then(() => this.advance(version));
    await this.work;
  }

  private async advance(version: number): Promise<void> {
    if (this.condition === 'loading') await this.rescan(version);
    while (this.current < version && this.condition !== 'gone') {
      const { changes, trimmed } = await this.points.changes(this.collection, this.current);
      const last = changes.at(-1);
      // Redis has no such version, or no entry of the log is left that would lead to it.
      if (last === undefined || trimmed) return await this.rescan(version);
      await this.apply([...new Set(changes.flatMap(({ ids }) => ids))]);
      this.current = last.version;
    }
  }

  /** Applies what points are now, whatever they were. */
  private async apply(ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += readAtOnce) {
      const some = ids.slice(start, start + readAtOnce);
      const points = await this.points.read(this.collection, some);
      if (this.condition === 'gone') return;
      for (const [index, id] of some.entries()) this.set(id, points[index]);
    }
  }

  /**
   * Reads all points. It is at `version` afterwards, which Redis had before the scan began: what is there from the beginning to
   * the end of a scan is in it, and what was written meanwhile is in the log.
   */
  private async rescan(version: number): Promise<void> {
    const seen = new Set<string>();
    this.loaded = 0;
    for await (const piece of this.points.scan(this.collection)) {
      if (this.condition === 'gone') return;
      for (const point of piece) {
        seen.add(point.id);
        this.set(point.id, point);
      }
      this.loaded = seen.size;
    }
    for (const id of [...this.store.allIds()]) if (!seen.has(id)) this.set(id, undefined);
    this.current = Math.max(this.current, version);
    if (this.condition === 'loading') this.condition = 'following';
  }

  private set(id: string, point: StoredPoint | undefined): void {
    const slot = this.store.slotOf(id);
    if (slot !== undefined) {
      // A point that was read late must not take the place of a newer one.
      if (point !== undefined && point.version <= this.store.versionOf(slot)) return;
      this.store.remove(id);
      this.build.remove(slot);
    }
    if (point !== undefined) this.build.add(this.store.put(point));
  }
}
