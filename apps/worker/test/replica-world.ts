import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import type { Redis } from '@millrace/shared/redis/connection';
import { collectionParts, createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import type { Collection } from '@millrace/shared/tasks/vector/collection';
import type { Metadata } from '@millrace/shared/tasks/vector/metadata';
import fc from 'fast-check';
import { expect } from 'vitest';
import { exactBackend } from '../src/vector/backends/exact.ts';
import { openHnswBackend } from '../src/vector/backends/hnsw.ts';
import { distanceOf } from '../src/vector/nearest.ts';
import type { LoadedReplica } from '../src/vector/replica.ts';
import { Replicas } from '../src/vector/replicas.ts';
import { searchReplica, selectMatches } from '../src/vector/search-replica.ts';
import { readSnapshot, writeSnapshot } from '../src/vector/snapshot-files.ts';
import { Turns } from '../src/vector/turns.ts';

const backend = openHnswBackend() ?? exactBackend;
const { signal } = new AbortController();

const ids = fc.array(fc.nat(60), { minLength: 1, maxLength: 30 });

const upsert = fc.record({ do: fc.constant('upsert' as const), ids, seed: fc.nat(1000) });
const remove = fc.record({ do: fc.constant('delete' as const), ids });
const removeMatching = fc.record({ do: fc.constant('deleteMatching' as const), parity: fc.constantFrom(0, 1) });
const search = fc.record({
  do: fc.constant('search' as const),
  seed: fc.nat(1000),
  k: fc.integer({ min: 1, max: 70 }),
  parity: fc.constantFrom(undefined, 0, 1),
});
const snapshot = fc.record({ do: fc.constant('snapshot' as const) });
const restart = fc.record({ do: fc.constantFrom('restart' as const, 'crash' as const) });
const some = fc.array(fc.oneof(upsert, remove, search, snapshot, restart), { maxLength: 5 });

/** What may happen to a collection, in any order. */
export const step = fc.oneof(
  { weight: 6, arbitrary: upsert },
  { weight: 3, arbitrary: remove },
  { weight: 1, arbitrary: removeMatching },
  { weight: 6, arbitrary: search },
  { weight: 1, arbitrary: restart },
  { weight: 1, arbitrary: snapshot },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), keep: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const) }) },
  // Redis is killed: some writes are lost, and others come in their place before anybody has looked.
  { weight: 2, arbitrary: fc.record({ do: fc.constant('loseWrites' as const), lost: some, instead: some }) },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Truth = Map<string, { readonly vector: Float32Array; readonly metadata: Metadata }>;

/** A collection in Redis, replicas of it, and a Map that says what is true. */
export class ReplicaWorld {
  private readonly redis: Redis;
  private readonly keys = createKeys(`{test-${randomBytes(4).toString('hex')}}`);
  private readonly collections: Collections;
  private readonly points: Points;
  private truth: Truth = new Map();
  private dimensions = 4;
  private replicas: Replicas;
  private readonly abandoned: Replicas[] = [];
  private folder = '';
  private readonly snapshots: string[] = [];

  constructor(redis: Redis) {
    this.redis = redis;
    this.collections = new Collections(redis, this.keys);
    this.points = new Points(redis, this.keys);
    this.replicas = this.newReplicas();
  }

  async begin(): Promise<void> {
    this.folder = await mkdtemp(path.join(tmpdir(), 'millrace-world-'));
    await this.create();
    await this.replicas.start();
  }

  async end(): Promise<void> {
    await Promise.all([this.replicas, ...this.abandoned].map((replicas) => replicas.close()));
    await this.collections.drop('books');
    await rm(this.folder, { recursive: true, force: true });
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'upsert':
        return await this.upsert(step.ids, step.seed);
      case 'delete':
        return await this.remove(step.ids);
      case 'deleteMatching':
        return await this.removeMatching(step.parity);
      case 'search':
        return await this.search(step);
      case 'restart':
        await this.replicas.close();
        return await this.renew();
      case 'crash':
        // What is left of it goes on for a while, as a worker that is cut off does.
        this.abandoned.push(this.replicas);
        return await this.renew();
      case 'trim':
        await this.redis.xtrim(this.keys.collection('books', 'log'), 'MAXLEN', step.keep);
        return;
      case 'recreate':
        await this.collections.drop('books');
        this.truth = new Map();
        this.dimensions = this.dimensions === 4 ? 5 : 4;
        return await this.create();
      case 'snapshot':
        return await this.snapshot();
      case 'loseWrites':
        return await this.loseWrites(step);
    }
  }

  /**
   * Makes the collection anew again and again, with other dimensions, while it is searched: each answer is of one collection, and
   * whole.
   */
  async remakeUnderSearches(rounds: number): Promise<void> {
    let over = false;
    const searching = Array.from({ length: 3 }, async () => {
      while (!over) await this.searchAny();
    });
    for (let round = 0; round < rounds; round += 1) {
      await this.take({ do: 'recreate' });
      const collection = await this.collection();
      const writes = Array.from({ length: 40 }, (_, id) => ({
        id: `p${id}`,
        vector: this.vectorOf(id, round),
        metadata: { generation: collection.generation },
      }));
      for (let start = 0; start < 40; start += 10) await this.points.write(collection, writes.slice(start, start + 10));
    }
    over = true;
    await Promise.all(searching);
  }

  private async searchAny(): Promise<void> {
    const found = await this.replicas
      .at('books', signal, async ({ replica, state }) => {
        const { dimensions, generation } = replica.collection;
        const search = { k: 100, ef: 100, exact: true, matches: undefined };
        const { neighbours } = searchReplica(replica, new Float32Array(dimensions), search);
        expect(neighbours.length).toBeGreaterThanOrEqual(state.points);
        return neighbours.map(({ label }) => [replica.store.metadataOf(label)?.['generation'], generation]);
      })
      .catch((error: unknown) => {
        expect(error).toMatchObject({ code: expect.stringMatching(/^COLLECTION_(NOT_FOUND|CHANGED)$/) });
        return [];
      });
    for (const [ofPoint, ofCollection] of found) expect(ofPoint).toBe(ofCollection);
  }

  private async create(): Promise<void> {
    await this.collections.create('books', { dimensions: this.dimensions, metric: 'l2' }, Date.now());
  }

  private async renew(): Promise<void> {
    this.replicas = this.newReplicas();
    await this.replicas.start();
  }

  private async upsert(numbers: readonly number[], seed: number): Promise<void> {
    const writes = [...new Set(numbers)].map((id) => ({
      id: `p${id}`,
      vector: this.vectorOf(id, seed),
      metadata: { parity: id % 2 },
    }));
    await this.points.write(await this.collection(), writes);
    for (const { id, vector, metadata } of writes) this.truth.set(id, { vector, metadata });
  }

  private async remove(numbers: readonly number[]): Promise<void> {
    const given = [...new Set(numbers)].map((id) => `p${id}`);
    const there = given.filter((id) => this.truth.has(id));
    const { deleted } = await this.points.delete(
      await this.collection(),
      given.map((id) => ({ id })),
    );
    expect(deleted).toBe(there.length);
    for (const id of there) this.truth.delete(id);
  }

  /** As vector.delete does with a filter: what is found is deleted if it has not changed since. */
  private async removeMatching(parity: number): Promise<void> {
    const found = await this.replicas.at('books', signal, async ({ replica }) => {
      const { slots } = await selectMatches(replica, { parity }, new Turns(signal));
      return slots.map((slot) => ({ id: replica.store.idOf(slot), stamp: replica.store.stampOf(slot) }));
    });
    const there = [...this.truth].filter(([, { metadata }]) => metadata['parity'] === parity).map(([id]) => id);
    expect(found.map(({ id }) => id).sort()).toEqual(there.sort());
    const { deleted, changed } = await this.points.delete(await this.collection(), found);
    expect([deleted, changed]).toEqual([there.length, []]);
    for (const id of there) this.truth.delete(id);
  }

  private async search({ seed, k, parity }: Extract<Step, { do: 'search' }>): Promise<void> {
    const query = this.vectorOf(seed, seed);
    await this.replicas.at('books', signal, async ({ replica, state }) => {
      const filtered = parity === undefined ? undefined : await selectMatches(replica, { parity }, new Turns(signal));
      const exact = seed % 2 === 0 ? false : undefined;
      const { neighbours } = searchReplica(replica, query, { k, ef: 100, exact, matches: filtered });
      const wanted = this.nearest(query, { k, parity });
      expect(neighbours.map(({ distance }) => distance)).toEqual(wanted.map(({ distance }) => distance));
      for (const { label, distance } of neighbours) {
        const point = this.truth.get(replica.store.idOf(label));
        expect(point).toBeDefined();
        expect(distanceOf('l2')(query, point?.vector ?? query)).toBe(distance);
        expect(replica.store.metadataOf(label)).toEqual(point?.metadata);
      }
      expect(replica.version).toBeGreaterThanOrEqual(state.version);
      expect(state.points).toBe(this.truth.size);
    });
  }

  private nearest(query: Float32Array, { k, parity }: { k: number; parity: number | undefined }) {
    return [...this.truth]
      .filter(([, { metadata }]) => parity === undefined || metadata['parity'] === parity)
      .map(([id, { vector }]) => ({ id, distance: distanceOf('l2')(query, vector) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, k);
  }

  /** Of the replica as it happens to be. */
  private async snapshot(): Promise<void> {
    const [ready] = this.replicas.list();
    if (ready === undefined || ready.replica.state !== 'following') return;
    const folder = path.join(this.folder, `s${this.snapshots.length}`);
    await writeSnapshot(ready.replica, { folder, backend: backend.name });
    this.snapshots.push(folder);
  }

  private async newestSnapshot(collection: Collection): Promise<LoadedReplica | undefined> {
    for (const folder of [...this.snapshots].reverse()) {
      const loaded = await readSnapshot(folder, { collection, backend }).catch(() => undefined);
      if (loaded !== undefined) return loaded;
    }
    return undefined;
  }

  /** As a Redis does that was killed: it comes back with what it had on disk. */
  private async loseWrites({ lost, instead }: Extract<Step, { do: 'loseWrites' }>): Promise<void> {
    const saved = await this.save();
    const truth = new Map(this.truth);
    for (const one of lost) await this.take(one);
    const restore = this.redis.multi();
    for (const part of collectionParts) restore.del(this.keys.collection('books', part));
    for (const [key, bytes] of saved) restore.restore(key, 0, bytes);
    await restore.exec();
    this.truth = truth;
    for (const one of instead) await this.take(one);
  }

  private async save(): Promise<Map<string, Buffer>> {
    const saved = new Map<string, Buffer>();
    for (const key of collectionParts.map((part) => this.keys.collection('books', part))) {
      const bytes = await this.redis.dumpBuffer(key);
      if (bytes !== null) saved.set(key, bytes);
    }
    return saved;
  }

  private async collection(): Promise<Collection> {
    const state = await this.collections.read('books');
    if (state === undefined) throw new Error('the collection is gone');
    return state.collection;
  }

  /** A vector that depends on two numbers alone. */
  private vectorOf(id: number, seed: number): Float32Array {
    return Float32Array.from({ length: this.dimensions }, (_, index) => Math.sin(id * 31 + seed * 17 + index * 7));
  }

  private newReplicas(): Replicas {
    return new Replicas({
      collections: this.collections,
      points: this.points,
      backend,
      snapshotOf: (collection) => this.newestSnapshot(collection),
      memoryBytes: 2 ** 30,
      // Small enough that indexes are built, and built anew, within a test.
      tuning: { worthIndexing: 10, mostDead: 5 },
      log: silentLogger(),
    });
  }
}
