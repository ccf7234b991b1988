import { randomBytes } from 'node:crypto';
import { silentLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import type { Metadata } from '@millrace/shared/tasks/vector/point';
import fc from 'fast-check';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { exactBackend } from '../src/vector/backends/exact.ts';
import { openHnswBackend } from '../src/vector/backends/hnsw.ts';
import { distanceOf } from '../src/vector/nearest.ts';
import { Replicas } from '../src/vector/replicas.ts';
import { searchReplica, selectMatches } from '../src/vector/search-replica.ts';

const redis = connectRedis({ url: inject('redisUrl'), role: 'worker', name: 'test', log: silentLogger() });
afterAll(() => disconnectRedis(redis));

const dimensions = 4;
const settings = { dimensions, metric: 'l2' as const };

/** What may happen to a collection, in any order. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('upsert' as const),
      ids: fc.array(fc.nat(60), { minLength: 1, maxLength: 30 }),
      seed: fc.nat(1000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      ids: fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('search' as const),
      seed: fc.nat(1000),
      k: fc.integer({ min: 1, max: 70 }),
      parity: fc.constantFrom(undefined, 0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A vector that depends on two numbers alone. */
function vectorOf(id: number, seed: number): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, index) => Math.sin(id * 31 + seed * 17 + index * 7));
}

class World {
  private readonly keys = createKeys(`{test-${randomBytes(4).toString('hex')}}`);
  private readonly collections = new Collections(redis, this.keys);
  private readonly points = new Points(redis, this.keys);
  private readonly truth = new Map<string, { vector: Float32Array; metadata: Metadata }>();
  private replicas = this.newReplicas();

  async begin(): Promise<void> {
    await this.collections.create('books', settings, Date.now());
    await this.replicas.start();
  }

  async end(): Promise<void> {
    await this.replicas.close();
    await this.collections.drop('books');
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'upsert':
        return await this.upsert(step.ids, step.seed);
      case 'delete':
        return await this.remove(step.ids);
      case 'search':
        return await this.search(step);
      case 'restart':
        await this.replicas.close();
        this.replicas = this.newReplicas();
        return await this.replicas.start();
      case 'trim':
        await redis.xtrim(this.keys.collection('books', 'log'), 'MAXLEN', 1);
        return;
      case 'recreate':
        await this.collections.drop('books');
        this.truth.clear();
        await this.collections.create('books', settings, Date.now());
    }
  }

  private async upsert(ids: readonly number[], seed: number): Promise<void> {
    const collection = await this.collection();
    const writes = [...new Set(ids)].map((id) => ({
      id: `p${id}`,
      vector: vectorOf(id, seed),
      metadata: { parity: id % 2 },
    }));
    await this.points.write(collection, writes, '');
    for (const { id, vector, metadata } of writes) this.truth.set(id, { vector, metadata });
  }

  private async remove(ids: readonly number[]): Promise<void> {
    const there = new Set(ids.map((id) => `p${id}`).filter((id) => this.truth.has(id)));
    const { deleted } = await this.points.delete(
      await this.collection(),
      [...new Set(ids)].map((id) => ({ id: `p${id}` })),
    );
    expect(deleted).toBe(there.size);
    for (const id of there) this.truth.delete(id);
  }

  private async search({ seed, k, parity }: Extract<Step, { do: 'search' }>): Promise<void> {
    const query = vectorOf(seed, seed);
    const { replica, state } = await this.replicas.ready('books');
    const matches = parity === undefined ? undefined : selectMatches(replica, { parity });
    const { neighbours } = searchReplica(replica, query, {
      k,
      ef: 100,
      exact: seed % 2 === 0 ? false : undefined,
      matches,
    });
    const wanted = [...this.truth]
      .filter(([, { metadata }]) => parity === undefined || metadata['parity'] === parity)
      .map(([id, { vector }]) => ({ id, distance: distanceOf('l2')(query, vector) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, k);
    expect(neighbours.map(({ distance }) => distance)).toEqual(wanted.map(({ distance }) => distance));
    for (const { label, distance } of neighbours) {
      const point = this.truth.get(replica.store.idOf(label));
      expect(point).toBeDefined();
      expect(distanceOf('l2')(query, point?.vector ?? query)).toBe(distance);
      expect(replica.store.metadataOf(label)).toEqual(point?.metadata);
    }
    expect(replica.version).toBeGreaterThanOrEqual(state.version);
    expect(state.points).toBe(this.truth.size);
  }

  private async collection() {
    const state = await this.collections.read('books');
    if (state === undefined) throw new Error('the collection is gone');
    return state.collection;
  }

  private newReplicas(): Replicas {
    return new Replicas({
      collections: this.collections,
      points: this.points,
      backend: openHnswBackend() ?? exactBackend,
      snapshotOf: async () => undefined,
      memoryBytes: 2 ** 30,
      // Small enough that indexes are built, and built anew, within a test.
      tuning: { worthIndexing: 10, mostDead: 5 },
      log: silentLogger(),
    });
  }
}

describe('A replica', () => {
  it('answers like a Map, whatever is written, deleted, trimmed, dropped and restarted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const world = new World();
        await world.begin();
        try {
          for (const one of steps) await world.take(one);
        } finally {
          await world.end();
        }
      }),
      { numRuns: 200 },
    );
  });
});
