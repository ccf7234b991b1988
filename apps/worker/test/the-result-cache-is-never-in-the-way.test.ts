import { silentLogger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import { connectRedis, disconnectRedis, type Redis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import type { HighWater } from '@millrace/shared/redis/memory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../../../test/setup/private-redis.ts';
import { CachedValues } from '../src/cached-values.ts';

const keys = createKeys('{test}');
const id = (hash: string) => ({ fingerprint: 'f', hash });
const value = new Uint8Array([1, 2, 3]);

let server: PrivateRedis;
let redis: Redis;
let metrics: Metrics;
beforeEach(async () => {
  server = await startRedis({ args: ['--appendonly', 'no'] });
  metrics = new Metrics();
  redis = connectRedis({ url: server.url, role: 'producer', name: 'test', log: silentLogger() });
  await redis.ping();
});
afterEach(async () => {
  await disconnectRedis(redis);
  await server.stop('SIGKILL');
});

function open(highWater: HighWater = { share: 0.8 }): CachedValues {
  const bounds = { bytes: 1_000_000, ttlMs: 60_000 };
  return new CachedValues({ redis, keys, bounds, highWater, metrics, log: silentLogger(), now: Date.now });
}

async function counted(): Promise<Record<string, number>> {
  const metric = await metrics.registry.getSingleMetric('millrace_result_cache_values_total')?.get();
  return Object.fromEntries((metric?.values ?? []).map(({ labels, value: count }) => [labels['outcome'], count]));
}

/** Writes values and waits until Redis has them. */
async function keep(values: CachedValues, hashes: readonly string[]): Promise<void> {
  values.write(hashes.map((hash) => ({ id: id(hash), bytes: value })));
  await expect.poll(counted).toMatchObject({ written: hashes.length });
}

describe('The cache of a worker', () => {
  it('gives what was written, by this worker or another', async () => {
    await keep(open(), ['a', 'b']);
    expect(await open().read([id('b'), id('c'), id('a')])).toEqual([value, undefined, value]);
    expect(await counted()).toEqual({ written: 2, hit: 2, miss: 1 });
  });

  it('is as if empty while Redis stands still, is not asked meanwhile, and is there again afterwards', async () => {
    const values = open();
    await keep(values, ['a']);
    process.kill(server.pid, 'SIGSTOP');
    expect(await values.read([id('a')])).toEqual([undefined]);
    expect(values.isOpen).toBe(false);
    process.kill(server.pid, 'SIGCONT');
    await expect.poll(() => values.isOpen, { timeout: 10_000 }).toBe(true);
    expect(await values.read([id('a')])).toEqual([value]);
    expect(await counted()).toEqual({ written: 1, failed: 1, hit: 1 });
  });

  it('is as if empty while Redis is away, and throws nothing', async () => {
    const values = open();
    await server.kill();
    await expect.poll(() => values.isOpen, { timeout: 10_000 }).toBe(false);
    expect(await values.read([id('a')])).toEqual([undefined]);
    values.write([{ id: id('a'), bytes: value }]);
    await expect.poll(counted, { timeout: 10_000 }).toEqual({ failed: 2 });
    await server.restart();
    await expect.poll(() => values.isOpen, { timeout: 10_000 }).toBe(true);
    await keep(values, ['a']);
  });

  it('is not written while Redis is above its share of the high-water mark, but read', async () => {
    await keep(open(), ['a']);
    const values = open({ bytes: 1000 });
    values.write([{ id: id('b'), bytes: value }]);
    await expect.poll(counted).toEqual({ written: 1, refused: 1 });
    expect(await values.read([id('a'), id('b')])).toEqual([value, undefined]);
  });

  it('takes no more on its way to Redis than a bound', async () => {
    const values = open();
    const large = new Uint8Array(2 ** 20);
    for (let index = 0; index < 10; index += 1) values.write([{ id: id(`large ${index}`), bytes: large }]);
    expect(await counted()).toEqual({ refused: 3 });
  });
});
