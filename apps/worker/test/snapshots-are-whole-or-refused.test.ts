import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { exactBackend } from '../src/vector/backends/exact.ts';
import { openHnswBackend } from '../src/vector/backends/hnsw.ts';
import type { LoadedReplica } from '../src/vector/replica.ts';
import { Replicas } from '../src/vector/replicas.ts';
import { searchReplica } from '../src/vector/search-replica.ts';
import { readSnapshot } from '../src/vector/snapshot-files.ts';
import { Snapshots } from '../src/vector/snapshots.ts';

const redis = connectRedis({ url: inject('redisUrl'), role: 'worker', name: 'test', log: silentLogger() });
const keys = createKeys(`{test-${randomBytes(4).toString('hex')}}`);
const collections = new Collections(redis, keys);
const points = new Points(redis, keys);
const backend = openHnswBackend() ?? exactBackend;
const count = 3000;
const { signal } = new AbortController();
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-snapshots-'));
  const { state } = await collections.create('books', { dimensions: 8, metric: 'l2' }, Date.now());
  const writes = Array.from({ length: count }, (_, seed) => ({
    id: `p${seed}`,
    vector: vectorOf(seed),
    metadata: { seed },
  }));
  await points.write(state.collection, writes);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await disconnectRedis(redis);
});

function vectorOf(seed: number): Float32Array {
  return Float32Array.from({ length: 8 }, (_, index) => Math.sin(seed * 12.9898 + index * 78.233));
}

function newSnapshots(): Snapshots {
  return new Snapshots({ folder, backend, log: silentLogger(), now: Date.now });
}

function newReplicas(snapshotOf: () => Promise<LoadedReplica | undefined> = async () => undefined): Replicas {
  const tuning = { worthIndexing: 100, mostDead: 1000 };
  return new Replicas({ collections, points, backend, snapshotOf, memoryBytes: 2 ** 30, tuning, log: silentLogger() });
}

/** A replica whose index has everything. */
async function complete(replicas: Replicas) {
  const replica = await replicas.at('books', signal, async (ready) => ready.replica);
  while (!replica.build.isDone) replica.build.slice(performance.now() + 20);
  return replica;
}

async function snapshotFolders(): Promise<string[]> {
  const [collection = ''] = await readdir(folder);
  return (await readdir(path.join(folder, collection))).map((name) => path.join(folder, collection, name));
}

describe('A snapshot', () => {
  it('gives the replica that was written, with its index, and follows the log from there', async () => {
    const first = newReplicas();
    const before = await complete(first);
    await newSnapshots().keep(before);
    await points.delete(before.collection, [{ id: 'p7' }]);
    await points.write(before.collection, [{ id: 'new', vector: vectorOf(9999), metadata: null }]);
    const loaded = await newSnapshots().newest(before.collection);
    expect(loaded).toMatchObject({ moment: before.moment });
    const second = newReplicas(async () => loaded);
    const { replica, state } = await second.at('books', signal, async (ready) => ready);
    expect(replica.build.indexed).toBeGreaterThanOrEqual(count);
    expect(state.points).toBe(replica.store.size);
    for (const seed of [1, 500, 2999, 9999]) {
      const search = { k: 5, ef: 200, exact: false, matches: undefined };
      const ids = searchReplica(replica, vectorOf(seed), search).neighbours.map(({ label }) =>
        replica.store.idOf(label),
      );
      expect(ids[0]).toBe(seed === 9999 ? 'new' : `p${seed}`);
    }
    const gone = searchReplica(replica, vectorOf(7), { k: 1, ef: 200, exact: false, matches: undefined });
    expect(replica.store.idOf(gone.neighbours[0]?.label ?? -1)).not.toBe('p7');
    await Promise.all([first.close(), second.close()]);
  });

  it.each(['points', 'vectors', 'index', 'manifest.json'])('whose file %s is damaged is passed over', async (file) => {
    const { state } = await collections.create('books', { dimensions: 8, metric: 'l2' }, Date.now());
    const [snapshot = ''] = await snapshotFolders();
    const whole = await readFile(path.join(snapshot, file));
    await truncate(path.join(snapshot, file), whole.length - 1);
    expect(await newSnapshots().newest(state.collection)).toBeUndefined();
    const flipped = Buffer.from(whole);
    flipped[10] = (flipped[10] ?? 0) ^ 1;
    await writeFile(path.join(snapshot, file), flipped);
    expect(await newSnapshots().newest(state.collection)).toBeUndefined();
    await writeFile(path.join(snapshot, file), whole);
    expect(await newSnapshots().newest(state.collection)).toBeDefined();
  });

  it('that was being written when its writer died is none, and is removed in the end', async () => {
    const { state } = await collections.create('books', { dimensions: 8, metric: 'l2' }, Date.now());
    const [snapshot = ''] = await snapshotFolders();
    const parent = path.dirname(snapshot);
    const draft = path.join(parent, '.draft-999999-00000000');
    await cp(snapshot, draft, { recursive: true });
    // A folder that was moved before its manifest was on disk would be as torn.
    const torn = path.join(parent, '999998-00000000');
    await cp(snapshot, torn, { recursive: true });
    await rm(path.join(torn, 'manifest.json'));
    expect(await newSnapshots().newest(state.collection)).toMatchObject({ moment: { version: expect.any(Number) } });
    expect((await newSnapshots().newest(state.collection))?.moment.version).toBeLessThan(999_998);
    await rm(torn, { recursive: true });
    const long = new Date(Date.now() - 2 * 3_600_000);
    await utimes(draft, long, long);
    const replicas = newReplicas();
    await newSnapshots().keep(await complete(replicas));
    await replicas.close();
    expect((await readdir(parent)).filter((name) => name.startsWith('.draft-'))).toEqual([]);
  });

  it('of a collection that had the same name before is refused', async () => {
    const [snapshot = ''] = await snapshotFolders();
    await collections.drop('books');
    const { state } = await collections.create('books', { dimensions: 8, metric: 'l2' }, Date.now());
    await expect(readSnapshot(snapshot, { collection: state.collection, backend })).rejects.toThrow(
      'of another collection',
    );
    expect(await newSnapshots().newest(state.collection)).toBeUndefined();
  });
});
