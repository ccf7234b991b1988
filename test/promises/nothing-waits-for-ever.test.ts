import { Millrace } from '@millrace/client';
import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStandInWorker } from '../api/stand-in-worker.ts';
import { enqueueAll } from '../setup/enqueue-all.ts';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const open = (redisUrl: string, prefix: string): Mill =>
  openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });
const clean = { type: 'text.clean', input: { texts: ['a'], format: 'plain' } };

async function enqueue(mill: Mill, count: number, options: Record<string, unknown> = {}): Promise<TaskRef[]> {
  const outcomes = await enqueueAll(
    mill,
    Array.from({ length: count }, () => ({ ...clean, ...options })),
  );
  return outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return { family: 'text', jobId: outcome.id };
  });
}

describe('Whoever waits for a task', () => {
  const redisUrl = inject('redisUrl');
  const prefix = ownPrefix();
  const mill = open(redisUrl, prefix);
  let worker: { close(): Promise<void> } | undefined;
  afterEach(async () => {
    await worker?.close();
    worker = undefined;
    expect(mill.waiting.size).toBe(0);
  });
  afterAll(() => mill.close());

  it('is told when it is removed', async () => {
    const [ref] = await enqueue(mill, 1, { delayMs: 3_600_000 });
    const waiting = waitForEnd(mill, ref?.jobId ?? '', 30_000);
    await expect.poll(() => mill.waiting.size).toBe(1);
    await mill.queues.get('text')?.remove(ref?.jobId ?? '');
    expect(await waiting).toBe(true);
  });

  it('is told when it was never there', async () => {
    expect(await waitForEnd(mill, 't-01a20f0c-44ab-7483-9b07-23eeade889c6', 30_000)).toBe(true);
  });

  it('is told that its result is no longer kept', async () => {
    worker = openStandInWorker({ redisUrl, prefix });
    const client = new Millrace({ redisUrl, prefix });
    const task = await client.enqueue('text.clean', { texts: ['a'], format: 'plain' }, { resultTtlMs: 1000 });
    expect(await task.result()).toEqual({ texts: ['A'] });
    const result = async () => await task.result().catch(({ code }: { code: string }) => code);
    await expect.poll(result, { timeout: 10_000 }).toBe('RESULT_EXPIRED');
    await client.close();
  });

  it('is told though every event of it was lost', async () => {
    const refs = await enqueue(mill, 50);
    const waiting = refs.map(({ jobId }) => waitForEnd(mill, jobId, 30_000));
    await expect.poll(() => mill.waiting.size).toBe(50);
    // A queue without events: whoever waits has to find out by looking.
    await mill.queues.get('text')?.pause();
    const { redis, keys } = mill;
    for (const { jobId } of refs) {
      await redis.zrem(keys.bull('text', 'prioritized'), jobId);
      await redis.zadd(keys.bull('text', 'completed'), Date.now(), jobId);
    }
    expect(await Promise.all(waiting)).toEqual(Array(50).fill(true));
    await mill.queues.get('text')?.resume();
  });

  it('is told though an event was there that nobody can read', async () => {
    const { redis, keys } = mill;
    const [before] = await enqueue(mill, 1);
    const first = waitForEnd(mill, before?.jobId ?? '', 30_000);
    await expect.poll(() => mill.waiting.size).toBe(1);
    await redis.xadd(keys.bull('text', 'events'), '*', 'event', 'completed', 'jobId', 'x', 'returnvalue', '{broken');
    worker = openStandInWorker({ redisUrl, prefix });
    expect(await first).toBe(true);
    const [after] = await enqueue(mill, 1);
    expect(await waitForEnd(mill, after?.jobId ?? '', 30_000)).toBe(true);
  });

  it('may stop waiting, and the task goes on', async () => {
    const client = new Millrace({ redisUrl, prefix });
    const task = await client.enqueue('text.clean', { texts: ['a'], format: 'plain' });
    const abort = new AbortController();
    const waiting = task.result({ signal: abort.signal });
    abort.abort(new Error('no longer wanted'));
    await expect(waiting).rejects.toThrow('no longer wanted');
    await expect(task.result({ signal: abort.signal })).rejects.toThrow('no longer wanted');
    await expect(task.result({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    worker = openStandInWorker({ redisUrl, prefix });
    expect(await task.result()).toEqual({ texts: ['A'] });
    await client.close();
  });

  it('is told when the client closes, also if it has only just begun', async () => {
    const own = open(redisUrl, prefix);
    const [ref] = await enqueue(own, 1, { delayMs: 3_600_000 });
    const codeOf = ({ code }: { code: string }) => code;
    const early = waitForEnd(own, ref?.jobId ?? '', 30_000).catch(codeOf);
    await expect.poll(() => own.waiting.size).toBe(1);
    const late = own.waiting.watch({ family: 'inference', jobId: 'x' }).catch(codeOf);
    await own.close();
    expect(await early).toBe('CLOSED');
    expect(['CLOSED', 'REDIS_UNAVAILABLE']).toContain(await late);
    await expect(own.waiting.watch({ family: 'text', jobId: 'x' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('Ten thousand who wait in one process', () => {
  let redis: PrivateRedis;
  let mill: Mill;
  const prefix = ownPrefix();
  beforeAll(async () => {
    redis = await startRedis();
    mill = open(redis.url, prefix);
  });
  afterAll(async () => {
    await mill.close();
    await redis.stop();
  });

  it('all get their end, though Redis goes away and comes back meanwhile', async () => {
    const refs = await enqueue(mill, 10_000);
    const watches = await Promise.all(refs.map((ref) => mill.waiting.watch(ref)));
    expect(mill.waiting.size).toBe(10_000);
    await startWorker({ redisUrl: redis.url, prefix, env: { FAMILIES: 'text' } });
    await watches[100]?.ended;
    // In the middle of the work, once with notice and once without.
    await redis.restart();
    await watches[3000]?.ended;
    await redis.kill('SIGKILL');
    await redis.restart();
    await Promise.all(watches.map(({ ended }) => ended));
    expect(mill.waiting.size).toBe(0);
    await stopProcesses();
  });

  it('all end also when Redis comes back without what it held', async () => {
    const refs = await enqueue(mill, 1000, { delayMs: 3_600_000 });
    const watches = await Promise.all(refs.map((ref) => mill.waiting.watch(ref)));
    await mill.redis.flushall();
    await Promise.all(watches.map(({ ended }) => ended));
    await expect(mill.reader.view(refs[0]?.jobId ?? '')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });
});
