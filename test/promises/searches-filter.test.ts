import { Millrace } from '@millrace/client';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import type { Filter } from '@millrace/shared/tasks/vector/filter';
import type { Found } from '@millrace/shared/tasks/vector/search';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const dimensions = 12;
const count = 10_000;
const waitMs = 60_000;

/** Points in clusters, as the vectors of texts lie; `rank` says nothing about where. */
const points = Array.from({ length: count }, (_, seed) => ({
  id: `p${seed}`,
  vector: clustered(seed),
  metadata: {
    rank: (seed * 7919) % count,
    parity: seed % 2 === 0 ? 'even' : 'odd',
    tags: [`t${seed % 7}`, `u${seed % 11}`],
    place: { floor: seed % 5, ...(seed % 3 === 0 ? { room: `r${seed % 13}` } : {}) },
  },
}));
const queries = Array.from({ length: 8 }, (_, index) => clustered(count + 7 * index));
let mill: Millrace;

function clustered(seed: number): number[] {
  const center = (seed * 31) % 40;
  const vector = Array.from({ length: dimensions }, (_, index) => {
    return Math.sin(center * 12.9898 + index * 78.233) + 0.3 * Math.sin(seed * 39.346 + index * 11.135);
  });
  // As Redis keeps them.
  return Array.from(Float32Array.from(vector));
}

beforeAll(async () => {
  mill = new Millrace({ redisUrl, prefix });
  await mill.createCollection('halls', { dimensions, metric: 'l2' });
  await startWorker({ redisUrl, prefix, env: { FAMILIES: 'vector' } });
  const parts = Array.from({ length: count / 500 }, (_, part) => points.slice(part * 500, (part + 1) * 500));
  const tasks = await mill.enqueueMany(
    'vector.upsert',
    parts.map((part) => ({ collection: 'halls', points: part })),
  );
  await Promise.all(tasks.map((task) => task.result({ timeoutMs: waitMs })));
  // Before the index is complete every search is exact; what is wanted is both.
  await vi.waitFor(
    async () => expect((await mill.collection('halls')).workers).toMatchObject([{ toIndex: 0, indexed: count }]),
    { timeout: waitMs, interval: 200 },
  );
}, 2 * waitMs);
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

interface Ask {
  readonly filter?: Filter;
  readonly topK: number;
  readonly exact?: boolean;
}

async function search(ask: Ask): Promise<Found[]> {
  const task = await mill.enqueue('vector.search', { collection: 'halls', vectors: queries, ...ask });
  return (await task.result({ timeoutMs: waitMs })).results;
}

/** The nearest of those that pass, by a look at each. */
function nearest(query: readonly number[], passes: (point: (typeof points)[number]) => boolean, k: number) {
  return points
    .filter(passes)
    .map(({ id, vector }) => ({
      id,
      score: Math.sqrt(vector.reduce((sum, value, index) => sum + (value - (query[index] ?? 0)) ** 2, 0)),
    }))
    .sort((a, b) => a.score - b.score)
    .slice(0, k);
}

/** Whether answers are right; gives the share of the nearest that they have. */
function check(answers: readonly Found[], passes: (point: (typeof points)[number]) => boolean, k: number): number {
  const matches = points.filter(passes).length;
  let found = 0;
  let wanted = 0;
  for (const [index, { hits, exact }] of answers.entries()) {
    const truth = nearest(queries[index] ?? [], passes, k);
    expect(hits).toHaveLength(Math.min(k, matches));
    expect(new Set(hits.map(({ id }) => id)).size).toBe(hits.length);
    for (const { id, metadata } of hits) {
      const point = points[Number(id.slice(1))];
      expect(metadata).toEqual(point?.metadata);
      expect(point !== undefined && passes(point)).toBe(true);
    }
    expect([...hits].sort((a, b) => a.score - b.score)).toEqual(hits);
    for (const [place, { score }] of (exact ? hits : []).entries()) {
      expect(score).toBeCloseTo(truth[place]?.score ?? -1, 6);
    }
    const ids = new Set(hits.map(({ id }) => id));
    found += truth.filter(({ id }) => ids.has(id)).length;
    wanted += truth.length;
  }
  return wanted === 0 ? 1 : found / wanted;
}

describe('A filtered search', () => {
  const sizes = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 9000, count];

  it.each(sizes)(
    'that %i of 10,000 points pass gives as many as are wanted and there are, in every way',
    async (size) => {
      const filter = { rank: { $lt: size } };
      const passes = ({ metadata }: (typeof points)[number]) => metadata.rank < size;
      for (const topK of [1, 10, 1000]) {
        for (const exact of [undefined, true, false]) {
          const answers = await search({ filter, topK, ...(exact === undefined ? {} : { exact }) });
          const recall = check(answers, passes, topK);
          if (exact === true) expect(answers.every((answer) => answer.exact)).toBe(true);
          expect(recall).toBeGreaterThanOrEqual(answers.every((answer) => answer.exact) ? 1 : 0.9);
        }
      }
    },
  );

  it('goes by the index where many pass, and by a look at each where few do', async () => {
    const way = async (ask: Ask) => new Set((await search(ask)).map(({ exact }) => exact));
    expect(await way({ topK: 10 })).toEqual(new Set([false]));
    expect(await way({ topK: 10, filter: { parity: 'even' } })).toEqual(new Set([false]));
    expect(await way({ topK: 10, filter: { rank: { $lt: 100 } } })).toEqual(new Set([true]));
    expect(await way({ topK: 10, filter: { parity: 'even' }, exact: true })).toEqual(new Set([true]));
  });

  it.each<[Filter, (point: (typeof points)[number]) => boolean]>([
    [{ parity: 'odd', tags: 't3' }, ({ metadata: { parity, tags } }) => parity === 'odd' && tags.includes('t3')],
    [{ tags: { $in: ['t1', 'u2'] } }, ({ metadata: { tags } }) => tags.includes('t1') || tags.includes('u2')],
    [{ tags: { $nin: ['t1', 'u2'] } }, ({ metadata: { tags } }) => !tags.includes('t1') && !tags.includes('u2')],
    [{ 'place.floor': { $gt: 1, $lte: 3 } }, ({ metadata: { place } }) => place.floor === 2 || place.floor === 3],
    [{ 'place.room': { $exists: true } }, ({ metadata: { place } }) => place.room !== undefined],
    [{ 'place.room': null }, ({ metadata: { place } }) => place.room === undefined],
    [
      { $or: [{ rank: { $lt: 50 } }, { $and: [{ parity: 'even' }, { 'place.room': 'r5' }] }] },
      ({ metadata: { rank, parity, place } }) => rank < 50 || (parity === 'even' && place.room === 'r5'),
    ],
    [
      { $nor: [{ parity: 'even' }, { rank: { $gte: 200 } }] },
      ({ metadata: { parity, rank } }) => parity === 'odd' && rank < 200,
    ],
    [{ rank: { $not: { $gte: 20 } } }, ({ metadata: { rank } }) => rank < 20],
    [{ nothing: 'of the kind' }, () => false],
    [{}, () => true],
  ])('by %j gives what a plain look gives', async (filter, passes) => {
    expect(check(await search({ filter, topK: 20 }), passes, 20)).toBeGreaterThan(0.9);
    expect(check(await search({ filter, topK: 20, exact: true }), passes, 20)).toBe(1);
  });

  it('has its index watched: recall, lag and memory are told as metrics of the collection', async () => {
    const redis = connectRedis({ url: redisUrl, role: 'producer', name: 'test', log: silentLogger() });
    const registry = new WorkerRegistry(redis, createKeys(prefix));
    const metrics = async () => {
      const [json = []] = (await registry.metrics()).values() as Iterable<{ name: string; values: object[] }[]>;
      return new Map(json.map(({ name, values }) => [name, values]));
    };
    const labels = { collection: 'halls' };
    const recall = async () => (await metrics()).get('millrace_recall_at_10');
    await expect
      .poll(recall, { timeout: waitMs, interval: 200 })
      .toMatchObject([{ labels, value: expect.any(Number) }]);
    const told = await metrics();
    expect(told.get('millrace_recall_at_10')).toMatchObject([
      { value: (await mill.collection('halls')).workers[0]?.recall },
    ]);
    expect(told.get('millrace_replica_lag_versions')).toMatchObject([{ labels, value: 0 }]);
    expect(told.get('millrace_replica_bytes')).toMatchObject([{ labels, value: expect.any(Number) }]);
    redis.disconnect();
  });

  it('never finds what a delete with the same filter has deleted', async () => {
    const filter = { rank: { $gte: 5000 }, 'place.floor': 2 };
    const deleted = points.filter(({ metadata: { rank, place } }) => rank >= 5000 && place.floor === 2).length;
    const task = await mill.enqueue('vector.delete', { collection: 'halls', filter });
    expect(await task.result({ timeoutMs: waitMs })).toMatchObject({ deleted });
    for (const { hits } of await search({ filter, topK: 1000 })) expect(hits).toEqual([]);
    for (const { hits } of await search({ topK: 1000, exact: false })) {
      const bad = hits.filter(({ metadata }) => {
        const { rank, place } = metadata as (typeof points)[number]['metadata'];
        return rank >= 5000 && place.floor === 2;
      });
      expect(bad).toEqual([]);
      expect(hits).toHaveLength(1000);
    }
    const again = await mill.enqueue('vector.delete', { collection: 'halls', filter });
    expect(await again.result({ timeoutMs: waitMs })).toMatchObject({ deleted: 0 });
  });
});
