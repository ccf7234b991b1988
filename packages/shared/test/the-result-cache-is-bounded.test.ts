import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../../../test/setup/private-redis.ts';
import { createKeys } from '../src/redis/keys.ts';
import { memoryOf } from '../src/redis/memory.ts';
import { isOutOfMemory } from '../src/redis/memory-limit.ts';
import { type CacheEntry, cachedBytes, ResultCache } from '../src/redis/result-cache.ts';
import { resultCacheDuty } from '../src/sweep/result-cache.ts';

const keys = createKeys('{test}');
const hour = 3_600_000;
const bytesOfValue = 1542;

let server: PrivateRedis;
let redis: Redis;
let cache: ResultCache;
beforeAll(async () => {
  server = await startRedis({ args: ['--appendonly', 'no', '--maxmemory-policy', 'noeviction'] });
  redis = new Redis(server.url);
  cache = new ResultCache(redis, keys);
});
beforeEach(async () => {
  await redis.config('SET', 'maxmemory', '0');
  await redis.flushall();
});
afterAll(async () => {
  await redis.quit();
  await server.stop();
});

function entry(name: string, size = bytesOfValue): CacheEntry {
  const fingerprint = 'f'.repeat(32);
  return { id: { fingerprint, hash: name.padEnd(43, '-') }, bytes: Buffer.alloc(size, name) };
}

/** Numbered so that those of one ms, which Redis sorts by name, are in order too. */
const entries = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => entry(`v${String(from + index).padStart(6, '0')}`));
const bytesOf = (count: number) => count * cachedBytes(entry('v'));
const used = async () => memoryOf(await redis.info('memory')).used;
const takenBytes = async () => Number(await redis.get(keys.cacheBytes));

async function have(some: readonly CacheEntry[]): Promise<boolean[]> {
  return (await cache.read(some.map(({ id }) => id))).map((value) => value !== undefined);
}

describe('The result cache', () => {
  it('gives the values back, each in memory of its own, and nothing for what it does not have', async () => {
    const [a, b] = [entry('a', 6), entry('b', 1)];
    await cache.write([a, b], { bytes: bytesOf(10), ttlMs: hour });
    const read = await cache.read([b.id, entry('c').id, a.id]);
    expect(read.map((value) => value && Buffer.from(value).toString())).toEqual(['b', undefined, 'aaaaaa']);
    for (const value of read) expect(value?.buffer.byteLength).toBe(value?.byteLength);
    expect(await cache.read([])).toEqual([]);
  });

  it('takes about as much of Redis as it counts', async () => {
    const before = await used();
    for (let from = 0; from < 20_000; from += 500)
      await cache.write(entries(500, from), { bytes: 2 ** 30, ttlMs: hour });
    const real = (await used()) - before;
    expect(await takenBytes()).toBe(bytesOf(20_000));
    expect(real / bytesOf(20_000)).toBeGreaterThan(0.8);
    expect(real / bytesOf(20_000)).toBeLessThan(1.2);
  });

  it('keeps the newest values within its bound, also when the bound has become smaller', async () => {
    const bounds = { bytes: bytesOf(100), ttlMs: hour };
    for (let from = 0; from < 250; from += 50) await cache.write(entries(50, from), bounds);
    expect(await have(entries(250))).toEqual(Array.from({ length: 250 }, (_, index) => index >= 150));
    expect(await takenBytes()).toBe(bytesOf(100));
    expect(await cache.write([entry('one more')], { bytes: bytesOf(10), ttlMs: hour })).toEqual({
      bytes: bytesOf(10),
      added: 1,
    });
    expect(await redis.zcard(keys.cache)).toBe(10);
    expect(await redis.keys(`${keys.cache}:*`)).toHaveLength(10);
  });

  it('counts a value once, however often it is written, and keeps none that is larger than all it may take', async () => {
    const bounds = { bytes: bytesOf(3), ttlMs: hour };
    await cache.write(entries(2), bounds);
    expect(await cache.write(entries(2), bounds)).toEqual({ bytes: bytesOf(2), added: 0 });
    expect(await cache.write([entry('large', bytesOf(3))], bounds)).toEqual({ bytes: bytesOf(2), added: 0 });
    expect(await have(entries(2))).toEqual([true, true]);
  });

  it('forgets a value when its time is over, and counts it no more once it is swept', async () => {
    await cache.write(entries(3), { bytes: bytesOf(10), ttlMs: 1 });
    await cache.write(entries(2, 3), { bytes: bytesOf(10), ttlMs: hour });
    await expect.poll(() => have(entries(5))).toEqual([false, false, false, true, true]);
    // Written again before the sweep it counts once.
    await cache.write(entries(1), { bytes: bytesOf(10), ttlMs: hour });
    await resultCacheDuty({ redis, keys, highWater: { share: 0.8 }, now: Date.now }).run();
    expect(await takenBytes()).toBe(bytesOf(3));
    await cache.trim(Date.now() + 2 * hour, 0);
    expect(await redis.exists(keys.cache, keys.cacheBytes)).toBe(0);
  });

  it('takes nothing while Redis is at its memory limit, and loses nothing by it', async () => {
    const bounds = { bytes: bytesOf(3), ttlMs: hour };
    await cache.write(entries(3), bounds);
    await redis.config('SET', 'maxmemory', String(await used()));
    const refusal: unknown = await cache.write(entries(3, 3), bounds).catch((error: unknown) => error);
    expect(isOutOfMemory(refusal)).toBe(true);
    expect(await have(entries(3))).toEqual([true, true, true]);
  });

  it('gives way when Redis fills, the oldest values first, also at the memory limit', async () => {
    const empty = await used();
    await cache.write(entries(900), { bytes: bytesOf(5000), ttlMs: hour });
    await cache.write(entries(900, 900), { bytes: bytesOf(5000), ttlMs: hour });
    // Seven tenths of the mark are what half of it takes.
    const highWater = { bytes: Math.round((empty + bytesOf(900)) / 0.7) };
    await redis.config('SET', 'maxmemory', String(await used()));
    const duty = resultCacheDuty({ redis, keys, highWater, now: Date.now });
    const dropped = await duty.run();
    expect(dropped).toBeGreaterThan(700);
    expect(dropped).toBeLessThan(1100);
    const left = await have(entries(1800));
    expect(left.slice(0, dropped).some(Boolean)).toBe(false);
    expect(left.slice(dropped).every(Boolean)).toBe(true);
    expect(await takenBytes()).toBe(bytesOf(1800 - dropped));

    // What is left goes as well when tasks need the room.
    await resultCacheDuty({ redis, keys, highWater: { bytes: 1 }, now: Date.now }).run();
    expect(await redis.keys(`${keys.cache}*`)).toEqual([]);
  });
});
