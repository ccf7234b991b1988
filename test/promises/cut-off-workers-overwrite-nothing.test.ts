import { Millrace } from '@millrace/client';
import { silentLogger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { RedisProxy } from '../../chaos/proxy.mjs';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const keys = createKeys(prefix);
const redis = connectRedis({ url: redisUrl, role: 'worker', name: 'test', log: silentLogger() });
const registry = new WorkerRegistry(redis, keys);
const env = { FAMILIES: 'vector' };
const waitMs = 60_000;
const mill = new Millrace({ redisUrl, prefix });
const proxy = new RedisProxy(Number(new URL(redisUrl).port));

afterAll(async () => {
  await mill.close();
  proxy.close();
  await stopProcesses();
  await disconnectRedis(redis);
});

const upsert = (id: string, x: number) =>
  mill.enqueue('vector.upsert', { collection: 'fenced', points: [{ id, vector: [x, 1] }] });

describe('A worker that was cut off from Redis', () => {
  it('writes nothing of a task that others have done, and does not overwrite what came after it', async () => {
    await mill.createCollection('fenced', { dimensions: 2, metric: 'dot' });
    const cutOff = await startWorker({ redisUrl: await proxy.listen(), prefix, env });
    await (await upsert('gone', 1)).result({ timeoutMs: waitMs });
    const beat = async () => (await registry.list()).find(({ pid }) => pid === cutOff.pid);
    await expect.poll(async () => (await beat())?.lanes[0]?.pid, { timeout: waitMs }).toEqual(expect.any(Number));
    const lane = (await beat())?.lanes[0]?.pid ?? 0;

    // It has the tasks in hand, and then no byte of it comes through.
    process.kill(lane, 'SIGSTOP');
    const first = await upsert('point', 1);
    const remove = { collection: 'fenced', ids: ['gone'] };
    const removal = await mill.enqueue('vector.delete', remove);
    const states = async () => [(await mill.get(first.id)).state, (await mill.get(removal.id)).state];
    await expect.poll(states, { timeout: waitMs }).toEqual(['running', 'running']);
    proxy.stall();
    process.kill(lane, 'SIGCONT');

    await startWorker({ redisUrl, prefix, env });
    await Promise.all([first.result({ timeoutMs: waitMs }), removal.result({ timeoutMs: waitMs })]);
    await (await upsert('point', 2)).result({ timeoutMs: waitMs });
    const { version } = await (await upsert('gone', 2)).result({ timeoutMs: waitMs });

    const passedAt = new Date().toISOString();
    proxy.pass();
    const isDone = async () => {
      const { beatAt = '', held } = (await beat()) ?? {};
      return beatAt > passedAt && held === 0;
    };
    await expect.poll(isDone, { timeout: waitMs, interval: 100 }).toBe(true);
    const state = await new Collections(redis, keys).read('fenced');
    if (state === undefined) throw new Error('the collection is gone');
    const stored = await new Points(redis, keys).read(state.collection, ['point', 'gone']);
    expect(stored.map((point) => point?.vector[0])).toEqual([2, 2]);
    expect(state.version).toBe(version);
  }, 120_000);
});
