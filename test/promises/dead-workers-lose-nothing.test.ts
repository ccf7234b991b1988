import { Millrace } from '@millrace/client';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { mixedTexts, ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const redis = new Redis(redisUrl);
const env = { FAMILIES: 'inference', INFERENCE_LANES: '1' };
let prefix: string;
let mill: Millrace;

beforeEach(() => {
  prefix = ownPrefix();
  mill = new Millrace({ redisUrl, prefix });
});
afterEach(async () => {
  await mill.close();
  await stopProcesses();
});
afterAll(() => redis.quit());

async function enqueueSingles(count: number) {
  return await mill.enqueueMany(
    'inference.embed',
    mixedTexts(count).map((text) => ({ texts: [text] })),
  );
}

/** How many outcomes Redis keeps of each task. */
async function storedResults(ids: readonly string[]): Promise<number[]> {
  const keys = await redis.keys(`${prefix}:result:*`);
  return ids.map((id) => keys.filter((key) => key.includes(id)).length);
}

/** Waits until a worker holds tasks, as its heartbeat says. */
async function lanePids(): Promise<number[]> {
  const [worker] = await new WorkerRegistry(redis, createKeys(prefix)).list();
  return (worker?.lanes ?? []).map(({ pid }) => pid ?? 0);
}

describe('A worker that is killed with a batch in hand', () => {
  it('has its tasks finished by another within 20 s, each with one result', async () => {
    const doomed = await startWorker({ redisUrl, prefix, env });
    const tasks = await enqueueSingles(200);
    await tasks[20]?.result();
    const other = startWorker({ redisUrl, prefix, env });
    await doomed.stop('SIGKILL');
    const diedAt = Date.now();
    await other;
    const results = await Promise.all(tasks.map((task) => task.result({ timeoutMs: 40_000 })));
    const views = await Promise.all(tasks.map((task) => task.read()));
    expect(results.every(({ embeddings }) => embeddings.length === 1)).toBe(true);
    expect(views.every(({ state, attempt }) => state === 'succeeded' && attempt === 1)).toBe(true);
    // The promised bound: lock 12 s + stalled check 5 s, and the time to compute what was left.
    expect(Date.now() - diedAt).toBeLessThan(20_000);
    expect(await storedResults(tasks.map(({ id }) => id))).toEqual(tasks.map(() => 1));
  });
});

describe('A compute process that is killed', () => {
  it('takes nothing along: the worker goes on and every task succeeds', async () => {
    const worker = await startWorker({ redisUrl, prefix, env });
    const tasks = await enqueueSingles(300);
    await tasks[20]?.result();
    const [pid] = await lanePids();
    process.kill(pid ?? 0, 'SIGKILL');
    await Promise.all(tasks.map((task) => task.result()));
    const views = await Promise.all(tasks.map((task) => task.read()));
    expect(views.every(({ state, attempt }) => state === 'succeeded' && attempt === 1)).toBe(true);
    expect(worker.lines.some(({ event }) => event === 'lane.died')).toBe(true);
    expect(await worker.stop()).toBe(0);
  });
});

describe('A worker that is asked to stop', () => {
  it('gives back what has not begun, at once and for nothing, and ends', async () => {
    const leaving = await startWorker({ redisUrl, prefix, env });
    const tasks = await enqueueSingles(300);
    await tasks[20]?.result();
    expect(await leaving.stop('SIGTERM')).toBe(0);
    expect(await redis.llen(`${prefix}:inference:active`)).toBe(0);
    await startWorker({ redisUrl, prefix, env });
    await Promise.all(tasks.map((task) => task.result()));
    const views = await Promise.all(tasks.map((task) => task.read()));
    expect(views.every(({ state, attempt }) => state === 'succeeded' && attempt === 1)).toBe(true);
  });

  it('leaves no process behind', async () => {
    const worker = await startWorker({ redisUrl, prefix, env });
    const pids = await lanePids();
    await worker.stop('SIGTERM');
    expect(pids).toHaveLength(1);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
