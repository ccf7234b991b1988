import { Millrace } from '@millrace/client';
import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const texts = Array.from({ length: 1000 }, (_, index) => `Text ${index} of the thousand that everybody sends.`);
const textsPerTask = 250;

let server: PrivateRedis;
let redis: Redis;
let prefix: string;
let mill: Millrace;
/** Waits for any task. */
let reader: Mill;
beforeAll(async () => {
  // A hundred times a thousand vectors: nothing to be kept on a disk.
  server = await startRedis({ args: ['--appendonly', 'no'] });
  redis = new Redis(server.url);
});
beforeEach(() => {
  prefix = ownPrefix();
  mill = new Millrace({ redisUrl: server.url, prefix });
  const door = { catalog: createCatalog() };
  reader = openMill({ redisUrl: server.url, prefix, door, log: silentLogger(), name: 'test' });
});
afterEach(async () => {
  await Promise.all([mill.close(), reader.close()]);
  await stopProcesses();
  await redis.flushall();
});
afterAll(async () => {
  await redis.quit();
  await server.stop();
});

function openWorker(env: Record<string, string>): Promise<TestProcess> {
  return startWorker({ redisUrl: server.url, prefix, env: { FAMILIES: 'inference', ...env } });
}

/** What the workers that live say of their items: how many the model saw, and how many had their value from elsewhere. */
async function counts() {
  const metrics = await new WorkerRegistry(redis, createKeys(prefix)).metrics();
  const values = [...metrics.values()].flatMap(
    (worker) =>
      worker as { name: string; values: { metricName?: string; labels: Record<string, string>; value: number }[] }[],
  );
  const sum = (metric: string, isMeant: (value: { metricName?: string; labels: Record<string, string> }) => boolean) =>
    values
      .filter(({ name }) => name === metric)
      .flatMap((one) => one.values.filter(isMeant))
      .reduce((total, { value }) => total + value, 0);
  const shared = (from: string) => sum('millrace_items_shared_total', ({ labels }) => labels['from'] === from);
  const cache = (outcome: string) =>
    sum('millrace_result_cache_values_total', ({ labels }) => labels['outcome'] === outcome);
  return {
    computed: sum('millrace_call_items', ({ metricName }) => metricName === 'millrace_call_items_sum'),
    shared: shared('in_flight') + shared('memory') + shared('redis'),
    redis: shared('redis'),
    written: cache('written'),
    refused: cache('refused'),
  };
}

/** The counts once a heartbeat has told of so many items. */
async function countsOf(items: number) {
  await expect
    .poll(async () => (({ computed, shared }) => computed + shared)(await counts()), { timeout: 20_000, interval: 200 })
    .toBe(items);
  return await counts();
}

async function send(client: Millrace) {
  const inputs = Array.from({ length: texts.length / textsPerTask }, (_, index) => ({
    texts: texts.slice(index * textsPerTask, (index + 1) * textsPerTask),
  }));
  return await client.enqueueMany('inference.embed', inputs);
}

/** Sends all texts once and gives their vectors. */
async function round(): Promise<Float32Array[]> {
  const results = await Promise.all((await send(mill)).map((task) => task.result()));
  return results.flatMap(({ embeddings }) => embeddings);
}

describe('A hundred producers that send the same thousand texts at once', () => {
  it('make the model see about a thousand texts, and each gets all vectors', async () => {
    const producers = Array.from({ length: 100 }, () => new Millrace({ redisUrl: server.url, prefix }));
    const sent = await Promise.all(producers.map(send));
    await openWorker({});
    const ends = await Promise.all(sent.flat().map(({ id }) => waitForEnd(reader, id, 50_000)));
    expect(ends.every(Boolean)).toBe(true);
    const { computed, shared } = await countsOf(100 * texts.length);
    expect(computed).toBeLessThanOrEqual(1100);
    expect(computed + shared).toBe(100 * texts.length);

    const expected = await Promise.all((sent[0] ?? []).map((task) => task.result()));
    for (const producer of [sent[50], sent[99]]) {
      const results = await Promise.all((producer ?? []).map((task) => task.result()));
      expect(results.map(({ embeddings }) => embeddings)).toEqual(expected.map(({ embeddings }) => embeddings));
    }
    await Promise.all(producers.map((producer) => producer.close()));
  });
});

describe('With a cache in Redis', () => {
  it('a new worker computes nothing that another has computed', async () => {
    const first = await openWorker({ RESULT_CACHE: '67108864', SAME_TEXT_MEMORY: '0' });
    const computed = await round();
    await expect.poll(() => redis.zcard(createKeys(prefix).cache), { timeout: 20_000 }).toBe(texts.length);
    await first.stop();
    await openWorker({ RESULT_CACHE: '67108864' });
    expect(await round()).toEqual(computed);
    // Once more, from the memory of the worker itself.
    expect(await round()).toEqual(computed);
    expect(await countsOf(2 * texts.length)).toMatchObject({ computed: 0, redis: texts.length });
  });

  it('that is small the newest values stay, and no more than fits', async () => {
    const bytes = 500_000;
    await openWorker({ RESULT_CACHE: String(bytes), SAME_TEXT_MEMORY: '0' });
    await round();
    await round();
    const { cache, cacheBytes } = createKeys(prefix);
    const look = redis.multi().zcard(cache).get(cacheBytes).keys(`${cache}:*`);
    const [kept = 0, taken, keys] = ((await look.exec()) ?? []).map(([, reply]) => reply as number);
    expect(kept).toBeGreaterThan(200);
    expect(Number(taken)).toBeLessThanOrEqual(bytes);
    expect(keys).toHaveLength(kept);
  });

  it('that is off, as it is by default, or while Redis is full, nothing is written, and all is computed', async () => {
    const off = await openWorker({});
    await round();
    await off.stop();
    expect(await redis.exists(createKeys(prefix).cache)).toBe(0);
    // A high-water mark that Redis is above from the start.
    await openWorker({ RESULT_CACHE: '67108864', REDIS_HIGH_WATER: '1000' });
    const unbounded = new Millrace({ redisUrl: server.url, prefix, redisHighWater: '1000000000' });
    const results = await Promise.all((await send(unbounded)).map((task) => task.result()));
    await unbounded.close();
    expect(results.flatMap(({ embeddings }) => embeddings)).toHaveLength(texts.length);
    expect(await countsOf(texts.length)).toMatchObject({ computed: texts.length, written: 0, refused: texts.length });
    expect(await redis.exists(createKeys(prefix).cache)).toBe(0);
  });
});
