import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { MillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import type { Collections } from '@millrace/shared/redis/collections';
import type { Points } from '@millrace/shared/redis/points';
import type { Collection, CollectionState } from '@millrace/shared/tasks/vector/collection';
import type { IndexBackend } from './backends/vector-index.ts';
import type { IndexTuning } from './index-build.ts';
import { type LoadedReplica, Replica } from './replica.ts';
import { tookTooLong, unlessStopped } from './turns.ts';

/** How long building may keep a search waiting, in ms. */
const sliceMs = 20;
/** How often collections are looked for and logs are followed when nobody asks, in ms; not more than a fifth of the time. */
const followMs = 250;
const followPauses = 4;
/** How long a worker that starts waits for what it loads; searches of what is not loaded by then wait for it themselves; ms. */
const startMs = 20_000;
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

interface OpenReplica {
  readonly replica: Replica;
  /** As it was seen last. */
  state: CollectionState;
}

/**
 * The replicas of a worker: one of each collection as far as the memory allows, opened when the collection is found, brought up
 * to date when they are asked for and a few times a second, and forgotten when the collection is dropped.
 */
export class Replicas {
  private readonly params: ReplicasParams;
  private readonly open = new Map<string, OpenReplica>();
  /** Of every collection that there was at the last look, in memory or not. */
  generations: ReadonlySet<string> = new Set();
  private readonly closing = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private building = false;
  /** What went wrong with each collection, as it was told last. */
  private readonly told = new Map<string, string>();

  constructor(params: ReplicasParams) {
    this.params = params;
  }

  /** Opens a replica of every collection that there is and fits, and follows in the background from then on. */
  async start(): Promise<void> {
    const { signal } = this.closing;
    const first = this.follow();
    this.following = this.followOn(first);
    await Promise.race([first.catch(() => {}), sleep(startMs, undefined, { signal, ref: false }).catch(() => {})]);
  }

  async close(): Promise<void> {
    this.closing.abort();
    for (const name of [...this.open.keys()]) this.forget(name);
    await this.following;
  }

  /** The replicas there are, by name. */
  list(): readonly ReadyReplica[] {
    return [...this.open.values()].sort((a, b) => a.state.collection.name.localeCompare(b.state.collection.name));
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
   * Lets `look` look at the replica of a collection, with everything in it that was written before the call; nothing is applied to
   * it meanwhile.
   * @throws MillraceError COLLECTION_NOT_FOUND, COLLECTION_TOO_LARGE, COLLECTION_CHANGED, TASK_TIMEOUT when the call is stopped
   * while the replica loads: that goes on, for the next.
   */
  async at<T>(name: string, signal: AbortSignal, look: (ready: ReadyReplica) => Promise<T>): Promise<T> {
    for (let count = 0; count < looks; count += 1) {
      const known = this.open.get(name)?.replica;
      const before = known?.version ?? 0;
      const state = await unlessStopped(this.stateOf(name), signal);
      this.makeRoom(state);
      const { replica } = this.openOf(state);
      replica.lastUsedAt = performance.now();
      let looking = false;
      const answer = replica.at({ moment: state, before: replica === known ? before : 0 }, async () => {
        if (signal.aborted) throw tookTooLong();
        looking = true;
        this.buildOn();
        return { value: await look({ replica, state }) };
      });
      const found = await unlessStopped(answer, signal, () => !looking);
      if (found !== undefined) return found.value;
    }
    throw new MillraceError('COLLECTION_CHANGED', `Collection ${name} was dropped and made anew again and again.`);
  }

  /** The replica of a collection in its present generation; a new one has to load yet. */
  private openOf(state: CollectionState): OpenReplica {
    const { collection } = state;
    const known = this.knownOf(state);
    if (known !== undefined) {
      if (state.version > known.state.version) known.state = state;
      return known;
    }
    this.forget(collection.name);
    const opened = { replica: new Replica({ ...this.params, collection }), state };
    opened.replica.lastUsedAt = performance.now();
    this.open.set(collection.name, opened);
    void this.load(opened);
    return opened;
  }

  /** One that is there already, of that generation. */
  private knownOf({ collection }: CollectionState): OpenReplica | undefined {
    const known = this.open.get(collection.name);
    const isSame = known?.replica.collection.generation === collection.generation;
    return isSame && known.replica.state !== 'gone' ? known : undefined;
  }

  /** Whoever asks for it next tries again, when this fails. */
  private async load({ replica, state }: OpenReplica): Promise<void> {
    const collection = replica.collection.name;
    const beganAt = performance.now();
    try {
      await replica.at({ moment: state, before: 0 }, async () => {
        const ms = Math.round(performance.now() - beganAt);
        const facts = { collection, points: replica.store.size, version: replica.version, from: replica.origin, ms };
        this.params.log.info({ event: 'replica.loaded', ...facts }, 'replica loaded');
      });
    } catch (error) {
      this.warn(collection, 'a replica did not load', error as Error);
    }
  }

  private forget(name: string): void {
    this.open.get(name)?.replica.leave();
    this.open.delete(name);
  }

  /** Lets go of replicas that were not used for the longest time. @throws MillraceError COLLECTION_TOO_LARGE. */
  private makeRoom(state: CollectionState): void {
    const { name } = state.collection;
    const { memoryBytes } = this.params;
    const needed = this.bytesOf(state);
    if (needed > memoryBytes) {
      this.evict(state);
      const detail = `Collection ${name} takes about ${needed} bytes of memory, of ${memoryBytes} that a worker may use (VECTOR_MEMORY).`;
      throw new MillraceError('COLLECTION_TOO_LARGE', detail);
    }
    this.evictUntil(memoryBytes - needed, name);
  }

  /** Lets go of replicas, but for one, until the others take no more than so many bytes. */
  private evictUntil(most: number, except: string | undefined): void {
    const others = this.openBut(except).sort((a, b) => a.replica.lastUsedAt - b.replica.lastUsedAt);
    let taken = this.bytesOfAll(others);
    for (const { state } of others) {
      if (taken <= most) return;
      taken -= this.bytesOf(state);
      this.evict(state);
    }
  }

  private evict(state: CollectionState): void {
    const { name } = state.collection;
    if (!this.open.has(name)) return;
    this.params.log.info({ event: 'replica.evicted', collection: name, bytes: this.bytesOf(state) }, 'replica evicted');
    this.forget(name);
  }

  private openBut(name: string | undefined): OpenReplica[] {
    return [...this.open.values()].filter(({ state }) => state.collection.name !== name);
  }

  private bytesOfAll(replicas: readonly OpenReplica[]): number {
    return replicas.reduce((sum, { state }) => sum + this.bytesOf(state), 0);
  }

  /** What a replica takes, or will when it is open. */
  private bytesOf(state: CollectionState): number {
    return Math.max(bytesFor(state), this.knownOf(state)?.replica.bytes ?? 0);
  }

  private async followOn(first: Promise<void>): Promise<void> {
    for (let round = first; !this.closed; round = this.follow()) {
      const beganAt = performance.now();
      await round.catch((error: Error) => this.warn('*', 'the collections cannot be listed', error));
      const pauseMs = Math.max(followMs, followPauses * (performance.now() - beganAt));
      await sleep(pauseMs, undefined, { signal: this.closing.signal }).catch(() => {});
    }
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** Every collection that fits beside those that are there, brought up to date one after the other. */
  private async follow(): Promise<void> {
    const before = new Map([...this.open].map(([name, { replica }]) => [name, { replica, version: replica.version }]));
    const states = await this.params.collections.list();
    this.generations = new Set(states.map(({ collection }) => collection.generation));
    const names = new Set(states.map(({ collection }) => collection.name));
    for (const name of [...this.open.keys()]) if (!names.has(name)) this.forget(name);
    for (const state of states) {
      const { name } = state.collection;
      if (this.closed) return;
      if (this.bytesOf(state) > this.params.memoryBytes) this.evict(state);
      else if (this.fits(state)) await this.followOne(state, before.get(name));
    }
    // What is open may have grown.
    this.evictUntil(this.params.memoryBytes, undefined);
    this.buildOn();
  }

  private async followOne(
    state: CollectionState,
    before: { replica: Replica; version: number } | undefined,
  ): Promise<void> {
    const { replica } = this.openOf(state);
    const target = { moment: state, before: replica === before?.replica ? before.version : 0 };
    try {
      await replica.at(target, async () => {});
      this.told.delete(state.collection.name);
    } catch (error) {
      this.warn(state.collection.name, 'a collection cannot be followed', error as Error);
    }
  }

  /** Whether it is there, or would fit beside those that are. */
  private fits(state: CollectionState): boolean {
    if (this.knownOf(state) !== undefined) return true;
    const others = this.openBut(state.collection.name);
    return this.bytesOfAll(others) + bytesFor(state) <= this.params.memoryBytes;
  }

  /** Says what goes wrong with a collection once, not four times a second. */
  private warn(collection: string, what: string, error: Error): void {
    if (this.told.get(collection) === error.message) return;
    this.told.set(collection, error.message);
    this.params.log.warn({ event: 'replicas.behind', collection, error: error.message }, what);
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
