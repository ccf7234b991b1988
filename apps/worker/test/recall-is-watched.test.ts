import { randomBytes } from 'node:crypto';
import { createLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openHnswBackend } from '../src/vector/backends/hnsw.ts';
import { probeRecall } from '../src/vector/recall-probe.ts';
import type { Replica } from '../src/vector/replica.ts';
import { Replicas } from '../src/vector/replicas.ts';
import { searchReplica } from '../src/vector/search-replica.ts';
import { Turns } from '../src/vector/turns.ts';

const dimensions = 24;
const count = 4000;
const lines: Record<string, unknown>[] = [];
const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
const log = createLogger({ name: 'test', level: 'info', destination });
const redis = connectRedis({ url: inject('redisUrl'), role: 'worker', name: 'test', log });
const keys = createKeys(`{test-${randomBytes(4).toString('hex')}}`);
const { signal } = new AbortController();
const backend = openHnswBackend();
let replicas: Replicas;
let replica: Replica;

/** Spread evenly, which makes it hard for an index: the vectors of texts lie in clusters. */
function vectorOf(seed: number): Float32Array {
  let state = seed * 2_654_435_761 + 12_345;
  return Float32Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

beforeAll(async () => {
  if (backend === undefined) return;
  const collections = new Collections(redis, keys);
  const points = new Points(redis, keys);
  const hnsw = { m: 6, efConstruction: 40, ef: 10 };
  const { state } = await collections.create('hard', { dimensions, metric: 'l2', hnsw }, Date.now());
  const writes = Array.from({ length: count }, (_, id) => ({ id: `p${id}`, vector: vectorOf(id), metadata: null }));
  await points.write(state.collection, writes);
  const tuning = { worthIndexing: 100, mostDead: 1000 };
  const memoryBytes = 2 ** 30;
  replicas = new Replicas({
    collections,
    points,
    backend,
    snapshotOf: async () => undefined,
    memoryBytes,
    tuning,
    log,
  });
  replica = await replicas.at('hard', signal, async (ready) => ready.replica);
  while (!replica.build.isDone) replica.build.slice(performance.now() + 20);
});
afterAll(async () => {
  await replicas?.close();
  await disconnectRedis(redis);
});

/** The same numbers in each run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const probe = () => probeRecall(replica, { log, random: randomFrom(7), turns: new Turns(signal) });

describe.runIf(backend !== undefined)('The recall of an index', () => {
  it('is what a comparison with exact search gives, and is raised step by step when it is too low', async () => {
    const first = await probe();
    expect(first).toBeLessThan(0.95);
    expect(replica.recall).toBe(first);
    expect(replica.ef).toBe(15);
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'recall.low', collection: 'hard', ef: 10, raisedTo: 15 }),
    );
    let recall = first ?? 0;
    for (let round = 0; round < 15 && recall < 0.95; round += 1) recall = (await probe()) ?? 0;
    expect(recall).toBeGreaterThanOrEqual(0.95);
    const { ef } = replica;
    await probe();
    expect(replica.ef).toBe(ef);
  });

  it('is measured with what was asked lately, if there was anything', async () => {
    const hard = Array.from({ length: 32 }, (_, index) => vectorOf(100_000 + index).map((value) => value * 3));
    for (const query of hard) replica.queries.note(query);
    replica.ef = 10;
    const asked = (await probe()) ?? 1;
    let found = 0;
    for (const query of hard) {
      const search = { k: 10, ef: 10, matches: undefined };
      const exact = searchReplica(replica, query, { ...search, exact: true }).neighbours.map(({ label }) => label);
      const byIndex = searchReplica(replica, query, { ...search, exact: false }).neighbours;
      found += byIndex.filter(({ label }) => exact.includes(label)).length;
    }
    expect(asked).toBeCloseTo(found / 320, 9);
  });

  it('is not measured where there is nothing to measure, nor of a replica that is gone', async () => {
    replica.leave();
    expect(await probe()).toBeUndefined();
  });
});
