import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Millrace } from '@millrace/client';
import { silentLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const keys = createKeys(prefix);
const redis = connectRedis({ url: redisUrl, role: 'worker', name: 'test', log: silentLogger() });
const collections = new Collections(redis, keys);
const points = new Points(redis, keys);
const snapshots = mkdtempSync(path.join(tmpdir(), 'millrace-snapshots-'));
const waitMs = 60_000;
let mill: Millrace;

beforeAll(() => {
  mill = new Millrace({ redisUrl, prefix });
});
afterEach(stopProcesses);
afterAll(async () => {
  await mill.close();
  await disconnectRedis(redis);
  rmSync(snapshots, { recursive: true, force: true });
});

function start(memory: number): Promise<TestProcess> {
  const env = { FAMILIES: 'vector', VECTOR_MEMORY: String(memory), SNAPSHOTS_DIR: snapshots };
  return startWorker({ redisUrl, prefix, env });
}

function vectorOf(dimensions: number, seed: number): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, index) => Math.sin(seed * 12.9898 + index * 78.233));
}

/** Writes as a task does, past the queue. */
async function fill(name: string, dimensions: number, { from, to }: { from: number; to: number }): Promise<void> {
  const { state } = await collections.create(name, { dimensions, metric: 'l2' }, Date.now());
  const writes = Array.from({ length: to - from }, (_, index) => ({
    id: `p${from + index}`,
    vector: vectorOf(dimensions, from + index),
    metadata: { seed: from + index },
  }));
  await points.write(state.collection, writes);
}

async function nearest(name: string, vector: Float32Array, options = {}): Promise<string | undefined> {
  const input = { collection: name, vectors: [Array.from(vector)], topK: 1 };
  const task = await mill.enqueue('vector.search', input, options);
  return (await task.result({ timeoutMs: waitMs })).results[0]?.hits[0]?.id;
}

function linesOf({ lines }: TestProcess, event: string, collection: string): number {
  return lines.filter((line) => line.event === event && line['collection'] === collection).length;
}

async function laneOf({ pid }: TestProcess): Promise<number> {
  return await vi.waitFor(
    async () => {
      const beat = (await new WorkerRegistry(redis, keys).list()).find((worker) => worker.pid === pid);
      const lane = beat?.lanes.find(({ state }) => state !== 'dead')?.pid;
      if (typeof lane !== 'number') throw new Error('the worker has not told of its lane');
      return lane;
    },
    { timeout: waitMs, interval: 100 },
  );
}

describe('The memory of a worker', () => {
  const mebibyte = 2 ** 20;

  it('has room for the collections that are used: others are let go, and loaded again when they are asked for', async () => {
    await fill('left', 64, { from: 0, to: 500 });
    await fill('right', 64, { from: 5000, to: 5500 });
    const worker = await start(mebibyte);
    for (let round = 0; round < 3; round += 1) {
      expect(await nearest('left', vectorOf(64, 7 + round))).toBe(`p${7 + round}`);
      expect(await nearest('right', vectorOf(64, 5007 + round))).toBe(`p${5007 + round}`);
    }
    for (const name of ['left', 'right']) {
      expect(linesOf(worker, 'replica.evicted', name)).toBeGreaterThanOrEqual(2);
      expect(linesOf(worker, 'replica.loaded', name)).toBeGreaterThanOrEqual(3);
    }
  });

  it('is not exceeded by one collection: the search fails and says what to do, and succeeds where there is more', async () => {
    await fill('large', 64, { from: 0, to: 1200 });
    const small = await start(mebibyte);
    const refused = nearest('large', vectorOf(64, 3), { attempts: 2, backoff: { type: 'fixed', delayMs: 50 } });
    await expect(refused).rejects.toMatchObject({
      code: 'COLLECTION_TOO_LARGE',
      message: expect.stringMatching(/large takes about \d+ bytes .* 1048576 .*VECTOR_MEMORY/),
    });
    const input = { collection: 'large', vectors: [Array.from(vectorOf(64, 3))], topK: 1 };
    const backoff = { type: 'fixed', delayMs: 300 } as const;
    const task = await mill.enqueue('vector.search', input, { attempts: 50, backoff });
    // It is tried again: other workers may have more memory, or the collection may become smaller.
    await vi.waitFor(async () => expect((await mill.get(task.id)).attempt).toBeGreaterThan(1), { timeout: waitMs });
    await small.stop();
    await start(64 * mebibyte);
    expect((await task.result({ timeoutMs: waitMs })).results[0]?.hits[0]?.id).toBe('p3');
  });

  it('is given back by a collection that outgrows it, and writes go on', async () => {
    await fill('growing', 64, { from: 0, to: 300 });
    const worker = await start(mebibyte);
    expect(await nearest('growing', vectorOf(64, 5))).toBe('p5');
    await fill('growing', 64, { from: 300, to: 1500 });
    await vi.waitFor(() => expect(linesOf(worker, 'replica.evicted', 'growing')).toBe(1), { timeout: waitMs });
    const upsert = { collection: 'growing', points: [{ id: 'more', vector: Array.from(vectorOf(64, 1)) }] };
    const written = await mill.enqueue('vector.upsert', upsert);
    expect(await written.result({ timeoutMs: waitMs })).toMatchObject({ upserted: 1 });
    await expect(nearest('growing', vectorOf(64, 5), { attempts: 1 })).rejects.toMatchObject({
      code: 'COLLECTION_TOO_LARGE',
    });
  });
});

describe('A copy of a collection survives', () => {
  const memory = 2 ** 28;

  it('a log that was trimmed while its worker stood still', async () => {
    await fill('still', 8, { from: 0, to: 300 });
    const worker = await start(memory);
    expect(await nearest('still', vectorOf(8, 5))).toBe('p5');
    const lane = await laneOf(worker);
    process.kill(lane, 'SIGSTOP');
    for (let seed = 0; seed < 300; seed += 10) await fill('still', 8, { from: 1000 + seed, to: 1010 + seed });
    const state = await collections.read('still');
    if (state === undefined) throw new Error('the collection is gone');
    await points.delete(state.collection, [{ id: 'p5' }]);
    await redis.xtrim(keys.collection('still', 'log'), 'MAXLEN', 1);
    process.kill(lane, 'SIGCONT');
    expect(await nearest('still', vectorOf(8, 1299))).toBe('p1299');
    expect(await nearest('still', vectorOf(8, 5))).not.toBe('p5');
  });

  it('that it is dropped and made anew again and again while it is searched', async () => {
    await fill('anew', 8, { from: 0, to: 100 });
    await start(memory);
    let over = false;
    const codes = new Set<string>();
    let answers = 0;
    const searching = Array.from({ length: 4 }, async () => {
      while (!over) {
        const found = await nearest('anew', vectorOf(8, 3), { attempts: 1 }).catch((error: { code: string }) => {
          codes.add(error.code);
        });
        if (found !== undefined) answers += 1;
      }
    });
    for (let round = 0; round < 10; round += 1) {
      await mill.dropCollection('anew');
      // Every other time with vectors of another length: a search of the one must not meet the points of the other.
      await fill('anew', round % 2 === 0 ? 16 : 8, { from: 0, to: 100 + round });
      await nearest('anew', vectorOf(round % 2 === 0 ? 16 : 8, 3));
    }
    over = true;
    await Promise.all(searching);
    expect(answers).toBeGreaterThan(0);
    const expected = ['COLLECTION_NOT_FOUND', 'COLLECTION_CHANGED', 'COLLECTION_MISMATCH'];
    expect([...codes].filter((code) => !expected.includes(code))).toEqual([]);
    expect(await nearest('anew', vectorOf(8, 42))).toBe('p42');
  });

  it('that its lane is killed while it writes a snapshot: what is half written is taken for none', async () => {
    const dimensions = 512;
    await fill('half', dimensions, { from: 0, to: 2100 });
    const worker = await start(memory);
    const drafts = () =>
      readdirSync(snapshots, { recursive: true, encoding: 'utf8' }).filter(
        (name) => path.basename(name).startsWith('.draft-') && name.includes('half-'),
      );
    // Where the kill came too late there is a whole snapshot, and one more point is a reason for the next.
    for (let attempt = 0; drafts().length === 0; attempt += 1) {
      expect(attempt).toBeLessThan(10);
      await fill('half', dimensions, { from: 3000 + attempt, to: 3001 + attempt });
      const lane = await laneOf(worker);
      while (drafts().length === 0) await turn();
      process.kill(lane, 'SIGKILL');
      await vi.waitFor(() => expect(linesOf(worker, 'replica.loaded', 'half')).toBe(attempt + 2), { timeout: waitMs });
    }
    expect(await nearest('half', vectorOf(dimensions, 3000))).toBe('p3000');
    await fill('half', dimensions, { from: 9000, to: 9001 });
    await vi.waitFor(() => expect(linesOf(worker, 'snapshot.written', 'half')).toBeGreaterThan(0), { timeout: waitMs });
    await worker.stop();
    const next = await start(memory);
    expect(await nearest('half', vectorOf(dimensions, 9000))).toBe('p9000');
    expect(
      next.lines.find(({ event, collection }) => event === 'replica.loaded' && collection === 'half'),
    ).toMatchObject({ from: 'snapshot' });
    expect([...worker.lines, ...next.lines].filter(({ event }) => event === 'snapshot.damaged')).toEqual([]);
  }, 120_000);
});
