import { fileURLToPath } from 'node:url';
import { Millrace, type MillraceOptions } from '@millrace/client';
import type { MillraceError } from '@millrace/shared/errors';
import { createKeys } from '@millrace/shared/redis/keys';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const maxMemory = 64 * 2 ** 20;
/** Of 16 kB: with what it will write a task takes some 40 kB, so about 1,300 fit. */
const text = 'The mill turns. '.repeat(1000);
const fiveTimesTooMany = 6500;
const chunk = 250;
const plugin = fileURLToPath(new URL('../setup/trouble-plugin.mjs', import.meta.url));

let server: PrivateRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis({ args: ['--maxmemory', '64mb'] });
  redis = new Redis(server.url);
});
afterEach(async () => {
  await stopProcesses();
  await redis.flushall();
});
afterAll(async () => {
  await redis.quit();
  await server.stop();
});

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}

/** Takes all memory that is left. */
async function fill(): Promise<void> {
  for (const bytes of [2 ** 20, 2 ** 12, 64]) {
    for (let count = 0; await fits(`fill:${bytes}:${count}`, bytes); count += 1);
  }
}

async function fits(key: string, bytes: number): Promise<boolean> {
  return await redis.set(key, 'x'.repeat(bytes)).then(
    () => true,
    () => false,
  );
}

function openMill(prefix: string, options: Partial<MillraceOptions> = {}): Millrace {
  return new Millrace({ redisUrl: server.url, prefix, ...options });
}

function openWorker(prefix: string): Promise<TestProcess> {
  return startWorker({ redisUrl: server.url, prefix, env: { FAMILIES: 'text', LOG_LEVEL: 'debug' } });
}

/** How the tasks ended that Redis has had: ids by BullMQ's event. */
async function endings(prefix: string): Promise<{ completed: Set<string>; failed: Set<string>; stalled: Set<string> }> {
  const ids = { completed: new Set<string>(), failed: new Set<string>(), stalled: new Set<string>() };
  for (const [, fields] of await redis.xrange(createKeys(prefix).bull('text', 'events'), '-', '+')) {
    const [, event, , jobId = ''] = fields;
    if (event === 'completed' || event === 'failed' || event === 'stalled') ids[event].add(jobId);
  }
  return ids;
}

function complaints(worker: TestProcess): string[] {
  return worker.lines
    .filter(({ event }) => event === 'worker.error' || event === 'task.lost' || event === 'task.failed')
    .map(({ msg }) => msg ?? '');
}

/** Pushes as much as five times what fits, by ones and by many, without ever waiting. */
async function push(mill: Millrace): Promise<{ accepted: string[]; refusals: MillraceError[] }> {
  const accepted: string[] = [];
  const refusals: MillraceError[] = [];
  const input = { texts: [text], format: 'plain' as const };
  for (let start = 0; start < fiveTimesTooMany; start += chunk) {
    const singles = Array.from({ length: chunk }, () => mill.enqueue('text.clean', input, { resultTtlMs: 10_000 }));
    for (const outcome of await Promise.allSettled(singles)) {
      if (outcome.status === 'fulfilled') accepted.push(outcome.value.id);
      else refusals.push(outcome.reason);
    }
  }
  return { accepted, refusals };
}

describe('With five times as much work as Redis has memory for', () => {
  it('the rest is refused with QUEUE_FULL, all that was accepted succeeds, and its memory comes back', async () => {
    const prefix = ownPrefix();
    const mill = openMill(prefix);
    const { accepted, refusals } = await push(mill);
    expect(accepted.length).toBeGreaterThan(1000);
    expect(accepted.length).toBeLessThan(fiveTimesTooMany / 3);
    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['QUEUE_FULL']));
    for (const { retryAfterMs } of refusals) expect(retryAfterMs).toBeGreaterThan(0);

    const worker = await openWorker(prefix);
    await expect
      .poll(async () => (await endings(prefix)).completed.size, { timeout: 40_000, interval: 500 })
      .toBe(accepted.length);
    const full = await usedMemory();
    // What was kept free for the results was enough: Redis never was at its limit.
    expect(full).toBeLessThan(0.9 * maxMemory);
    const { completed, failed, stalled } = await endings(prefix);
    expect(completed).toEqual(new Set(accepted));
    expect([...failed, ...stalled, ...complaints(worker)]).toEqual([]);
    await expect.poll(usedMemory, { timeout: 40_000, interval: 500 }).toBeLessThan(full / 3);
    await mill.enqueue('text.clean', { texts: [text], format: 'plain' });
    await mill.close();
  });

  it('a producer that waits for room gets all of it in, and all of it succeeds', async () => {
    const prefix = ownPrefix();
    const mill = openMill(prefix);
    const worker = await openWorker(prefix);
    const inputs = Array.from({ length: fiveTimesTooMany }, () => ({ texts: [text], format: 'plain' as const }));
    const accepted = new Set<string>();
    for (let start = 0; start < inputs.length; start += chunk) {
      const options = { resultTtlMs: 1000, waitForRoomMs: 60_000 };
      for (const { id } of await mill.enqueueMany('text.clean', inputs.slice(start, start + chunk), options)) {
        accepted.add(id);
      }
    }
    expect(accepted.size).toBe(fiveTimesTooMany);
    await expect
      .poll(async () => (await endings(prefix)).completed.size, { timeout: 40_000, interval: 500 })
      .toBe(fiveTimesTooMany);
    const { completed, failed, stalled } = await endings(prefix);
    expect(completed).toEqual(accepted);
    expect([...failed, ...stalled, ...complaints(worker)]).toEqual([]);
    await mill.close();
  });
});

describe('With a producer that goes past Millrace until Redis itself refuses', () => {
  it('all that is in the queue still succeeds at the first try, and Millrace refuses more with QUEUE_FULL', async () => {
    const prefix = ownPrefix();
    const mill = openMill(prefix);
    const options = { resultTtlMs: 600_000 };
    const ours = await mill.enqueueMany(
      'text.clean',
      Array.from({ length: 200 }, () => ({ texts: [text], format: 'plain' as const })),
      options,
    );
    const bare = new Queue('text', { connection: { url: server.url }, prefix });
    const data = { v: 1, input: { texts: [text], format: 'plain' }, ...options };
    let theirs = 0;
    const refused = await (async () => {
      for (;;) {
        const jobs = Array.from({ length: 50 }, () => bare.add('text.clean', data, { priority: 100, attempts: 3 }));
        const outcomes = await Promise.allSettled(jobs);
        theirs += outcomes.filter(({ status }) => status === 'fulfilled').length;
        const refusal = outcomes.find((outcome) => outcome.status === 'rejected');
        if (refusal !== undefined) return refusal.reason as Error;
      }
    })();
    expect(refused.message).toMatch(/^OOM/);
    await expect(mill.enqueue('text.clean', { texts: ['a'], format: 'plain' })).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    });

    const worker = await openWorker(prefix);
    await expect
      .poll(async () => (await endings(prefix)).completed.size, { timeout: 50_000, interval: 500 })
      .toBe(ours.length + theirs);
    // It was full from the first to the last.
    expect(await usedMemory()).toBeGreaterThan(maxMemory);
    const { failed, stalled } = await endings(prefix);
    expect([...failed, ...stalled, ...complaints(worker)]).toEqual([]);
    for (const task of ours) expect(await task.read()).toMatchObject({ state: 'succeeded', attempt: 1 });
    await bare.close();
    await mill.close();
  });

  it('tasks that take longer than a lock keep it, and no worker is taken for dead', async () => {
    const prefix = ownPrefix();
    const bare = new Queue('text', { connection: { url: server.url }, prefix });
    const jobs = 150;
    const job = { name: 'text.trouble', data: { v: 1, input: { texts: ['work', 'work'] } }, opts: { priority: 100 } };
    await bare.addBulk(new Array(jobs).fill(job));
    await fill();
    const env = { FAMILIES: 'text', MILLRACE_PLUGINS: plugin, LOG_LEVEL: 'debug' };
    const worker = await startWorker({ redisUrl: server.url, prefix, env });
    // 300 items of 50 ms: the last are done when their first lock would have run out.
    await expect
      .poll(async () => (await endings(prefix)).completed.size, { timeout: 50_000, interval: 500 })
      .toBe(jobs);
    const { failed, stalled } = await endings(prefix);
    expect([...failed, ...stalled, ...complaints(worker)]).toEqual([]);
    expect(
      await redis.exists(...(await redis.smembers(createKeys(prefix).workers)).map(createKeys(prefix).worker)),
    ).toBe(1);
    await bare.close();
  });
});
