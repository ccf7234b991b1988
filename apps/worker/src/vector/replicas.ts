import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { MillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import type { Collections } from '@millrace/shared/redis/collections';
import type { Points } from '@millrace/shared/redis/points';
import type { Collection, CollectionState } from '@millrace/shared/tasks/vector/collection';
import type { IndexBackend } from './backends/vector-index.ts';
import type { IndexTuning } from './index-build.ts';
import { type LoadedReplica, Replica } from './replica.ts';

/** How long building may keep a search waiting, in ms. */
const sliceMs = 20;
/** How often collections are looked for and logs are followed when nobody asks, in ms. */
const followMs = 250;
/** A collection that changes its generation under a search is looked at again so often. */
const looks = 4;

interface ReplicasParams {
  readonly collections: Collections;
  readonly points: Points;
  readonly backend: IndexBackend;
  /** The newest good snapshot of a collection. */
  readonly snapshotOf: (collection: Collection) => Promise<LoadedReplica | undefined>;
  /** What replicas may take together, in bytes. */
  readonly memoryBytes: number;
  readonly tuning: IndexTuning;
  readonly log: Logger;
}

/** A replica that has what a call must see, and the collection as it was when the call began. */
export interface ReadyReplica {
  readonly replica: Replica;
  readonly state: CollectionState;
}

/**
 * The replicas of a worker: one of each collection as far as the memory allows, opened when the collection is found, brought up
 * to date when they are asked for and a few times a second, and forgotten when the collection is dropped.
 */
export class Replicas {
  private readonly params: ReplicasParams;
  private readonly open = new Map<string, Promise<Replica>>();
  private readonly known = new Map<string, { readonly replica: Replica; state: CollectionState }>();
  /** Of every collection that there was at the last look, in memory or not. */
  generations: ReadonlySet<string> = new Set();
  private readonly closing = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private building = false;

  constructor(params: ReplicasParams) {
    this.params = params;
  }

  /** Opens a replica of every collection that there is and fits, then follows in the background. */
  async start(): Promise<void> {
    await this.follow();
    this.following = this.followOn();
  }

  async close(): Promise<void> {
    this.closing.abort();
    for (const { replica } of this.known.values()) replica.leave();
    await this.following;
  }

  /** The replicas there are, by name. */
  list(): readonly { readonly replica: Replica; readonly state: CollectionState }[] {
    return [...this.known.values()].sort((a, b) => a.state.collection.name.localeCompare(b.state.collection.name));
  }

  /** A collection as Redis has it now. @throws MillraceError COLLECTION_NOT_FOUND. */
  async stateOf(name: string): Promise<CollectionState> {
    const state = await this.params.collections.read(name);
    if (state === undefined) {
      this.forget(name);
      throw new MillraceError('COLLECTION_NOT_FOUND', `There is no collection ${name}.`);
    }
    return state;
  }

  /**
   * The replica of a collection, with everything in it that was written before the call.
   * @throws MillraceError COLLECTION_NOT_FOUND, COLLECTION_TOO_LARGE, COLLECTION_CHANGED.
   */
  async ready(name: string): Promise<ReadyReplica> {
    for (let look = 0; look < looks; look += 1) {
      const state = await this.stateOf(name);
      this.makeRoom(state);
      const replica = await this.replicaOf(state);
      await replica.catchUp(state.version);
      if (replica.state === 'following' && replica.version >= state.version) {
        replica.lastUsedAt = performance.now();
        this.buildOn();
        return { replica, state };
      }
    }
    throw new MillraceError('COLLECTION_CHANGED', `Collection ${name} was dropped and made anew again and again.`);
  }

  private async replicaOf(state: CollectionState): Promise<Replica> {
    const { collection } = state;
    const { name, generation } = collection;
    const known = this.known.get(name);
    if (known !== undefined && known.replica.collection.generation !== generation) this.forget(name);
    const opening = this.open.get(name) ?? this.openReplica(state);
    this.open.set(name, opening);
    const replica = await opening;
    const entry = this.known.get(name);
    if (entry !== undefined && state.version >= entry.state.version) entry.state = state;
    return replica;
  }

  private async openReplica(state: CollectionState): Promise<Replica> {
    const { points, backend, tuning, snapshotOf, log } = this.params;
    const { collection } = state;
    const beganAt = performance.now();
    const from = await snapshotOf(collection);
    const replica = new Replica({ collection, points, backend, tuning }, from);
    replica.lastUsedAt = performance.now();
    this.known.set(collection.name, { replica, state });
    void replica.catchUp(state.version).then(
      () => {
        const ms = Math.round(performance.now() - beganAt);
        const facts = { collection: collection.name, points: replica.store.size, version: replica.version, ms };
        log.info(
          { event: 'replica.loaded', ...facts, from: from === undefined ? 'redis' : 'snapshot' },
          'replica loaded',
        );
      },
      (error: Error) => {
        log.warn(
          { event: 'replica.failed', collection: collection.name, error: error.message },
          'replica did not load',
        );
        this.forget(collection.name);
      },
    );
    return replica;
  }

  private forget(name: string): void {
    this.known.get(name)?.replica.leave();
    this.known.delete(name);
    this.open.delete(name);
  }

  /** Lets go of replicas that were not used for the longest time. @throws MillraceError COLLECTION_TOO_LARGE. */
  private makeRoom(state: CollectionState): void {
    const { name } = state.collection;
    const { memoryBytes, log } = this.params;
    const needed = bytesFor(state);
    if (needed > memoryBytes) {
      const detail = `Collection ${name} takes about ${needed} bytes of memory, of ${memoryBytes} that a worker may use.`;
      throw new MillraceError('COLLECTION_TOO_LARGE', detail);
    }
    const others = [...this.known.values()]
      .filter(({ state: { collection } }) => collection.name !== name)
      .sort((a, b) => a.replica.lastUsedAt - b.replica.lastUsedAt);
    while (this.bytesBut(name) + needed > memoryBytes) {
      const [oldest] = others.splice(0, 1);
      if (oldest === undefined) return;
      log.info({ event: 'replica.evicted', collection: oldest.state.collection.name, for: name }, 'replica evicted');
      this.forget(oldest.state.collection.name);
    }
  }

  private bytesBut(name: string): number {
    return this.list()
      .filter(({ state }) => state.collection.name !== name)
      .reduce((sum, { replica, state }) => sum + Math.max(replica.bytes, bytesFor(state)), 0);
  }

  private async followOn(): Promise<void> {
    while (!this.closed) {
      await sleep(followMs, undefined, { signal: this.closing.signal }).catch(() => {});
      if (this.closed) return;
      await this.follow().catch((error: Error) => {
        this.params.log.warn({ event: 'replicas.behind', error: error.message }, 'the change logs cannot be followed');
      });
    }
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Every collection that fits beside those that are there, brought up to date. */
  private async follow(): Promise<void> {
    const states = await this.params.collections.list();
    this.generations = new Set(states.map(({ collection }) => collection.generation));
    const names = new Set(states.map(({ collection }) => collection.name));
    for (const name of this.open.keys()) if (!names.has(name)) this.forget(name);
    for (const state of states) {
      const { name } = state.collection;
      const fits = this.bytesBut(name) + bytesFor(state) <= this.params.memoryBytes;
      if (!this.open.has(name) && !fits) continue;
      const replica = await this.replicaOf(state);
      await replica.catchUp(state.version);
    }
    this.buildOn();
  }

  /** Builds indexes in the background, a slice of each in turn, until there is nothing to build. */
  private buildOn(): void {
    if (this.building || this.closed) return;
    this.building = true;
    void this.buildAll().finally(() => {
      this.building = false;
    });
  }

  private async buildAll(): Promise<void> {
    for (;;) {
      const open = this.list().filter(({ replica }) => replica.state === 'following' && !replica.build.isDone);
      if (open.length === 0 || this.closed) return;
      for (const { replica } of open) {
        replica.build.slice(performance.now() + sliceMs);
        // Calls and replies of Redis have their turn between two slices.
        await turn();
      }
    }
  }
}

/** Of a point beside its vector: its metadata, ids and places, links in the index; bytes. */
const pointBytes = 600;

/** About how much memory a replica of a collection will take: each vector is in the store and in the index. */
export function bytesFor({ collection, points }: CollectionState): number {
  return points * (collection.dimensions * 8 + collection.hnsw.m * 8 + pointBytes);
}
