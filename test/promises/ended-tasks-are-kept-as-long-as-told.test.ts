import { type Mill, openMill } from '@millrace/client/mill';
import { silentLogger } from '@millrace/shared/logger';
import { retentionDuty } from '@millrace/shared/sweep/retention';
import { spentInputsDuty } from '@millrace/shared/sweep/spent-inputs';
import type { Duty } from '@millrace/shared/sweep/sweeper';
import { unlistedDuty } from '@millrace/shared/sweep/unlisted';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { parseTaskId } from '@millrace/shared/tasks/ids';
import { Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { openStandInWorker } from '../api/stand-in-worker.ts';
import { ownPrefix } from '../setup/mill.ts';

const redisUrl = inject('redisUrl');
const hour = 3_600_000;
const week = 7 * 24 * hour;
const long = 'long '.repeat(1000);
let prefix: string;
let mill: Mill;
/** Simulated, ms since 1970. */
let now: number;

beforeEach(() => {
  prefix = ownPrefix();
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });
  now = Date.now();
});
afterEach(() => mill.close());

/** A sweep where memory is plenty, or as good as used up. */
function retention(memory: 'plenty' | 'tight'): Duty {
  const highWater = { bytes: memory === 'plenty' ? Number.MAX_SAFE_INTEGER : 1 };
  return retentionDuty({ redis: mill.redis, keys: mill.keys, queues: mill.queues, highWater, now: () => now });
}

async function enqueue(texts: string[], options: Record<string, unknown> = {}): Promise<string> {
  const input = { texts, format: 'plain' };
  const prepared = mill.enqueuer.prepare({ type: 'text.clean', input, resultTtlMs: hour, ...options });
  await mill.enqueuer.add(prepared);
  return prepared.id;
}

/** Has all that waits computed. */
async function compute(): Promise<void> {
  const worker = openStandInWorker({ redisUrl, prefix });
  await expect.poll(() => mill.queues.get('text')?.getJobCountByTypes('prioritized', 'wait', 'active')).toBe(0);
  await worker.close();
}

async function isKnown(id: string): Promise<boolean> {
  return await mill.reader.view(id).then(
    () => true,
    ({ code }: { code: string }) => code !== 'TASK_NOT_FOUND',
  );
}

async function dataOf(id: string): Promise<unknown> {
  return (await mill.queues.get('text')?.getJob(id))?.data;
}

describe('The record of an ended task', () => {
  it('stays for its result’s time whatever happens, and a week beyond to say that it has expired', async () => {
    const [short, long] = [await enqueue(['a']), await enqueue(['b'], { resultTtlMs: 2 * hour })];
    await compute();
    expect(await retention('tight').run()).toBe(0);
    now += hour + 60_000;
    expect(await retention('plenty').run()).toBe(0);
    now += week - 120_000;
    expect(await retention('plenty').run()).toBe(0);
    now += 120_000;
    expect(await retention('plenty').run()).toBe(1);
    expect([await isKnown(short), await isKnown(long)]).toEqual([false, true]);
  });

  it('goes with its result’s time when memory is short, and with it what else was kept of it', async () => {
    const [short, long] = [await enqueue(['a'], { tags: ['x'] }), await enqueue(['b'], { resultTtlMs: 2 * hour })];
    await compute();
    now += hour + 60_000;
    expect(await retention('tight').run()).toBe(1);
    expect([await isKnown(short), await isKnown(long)]).toEqual([false, true]);
    const keys = await mill.redis.keys(`${prefix}*${short}*`);
    // The result has a time to live of its own, which is real here.
    expect(keys.filter((key) => !key.includes(':result:'))).toEqual([]);
    expect(await mill.redis.zscore(mill.keys.tagged('text', 'x'), short)).toBeNull();
  });

  it('is never taken while the task waits or runs once more', async () => {
    const id = await enqueue(['fail', long]);
    await compute();
    // The stand-in ends a task without listing it.
    expect(await unlistedDuty({ redis: mill.redis, keys: mill.keys, now: () => now }).run()).toBe(1);
    await mill.retrying.retry(id);
    // As if a worker of before had listed it as ended again.
    await mill.redis.zadd(mill.keys.ended('text'), now, id);
    now += hour;
    expect(await spentInputsDuty({ redis: mill.redis, keys: mill.keys, now: () => now }).run()).toBe(0);
    expect(await retention('tight').run()).toBe(0);
    expect(await mill.reader.view(id)).toMatchObject({ state: 'queued' });
    expect(await dataOf(id)).toMatchObject({ input: { texts: ['fail', long] } });
  });

  it('loses its input with its result’s time, and keeps its tags', async () => {
    const id = await enqueue([long], { tags: ['kept'] });
    const later = await enqueue([long], { resultTtlMs: 2 * hour });
    await compute();
    const forget = spentInputsDuty({ redis: mill.redis, keys: mill.keys, now: () => now });
    now += hour - 60_000;
    expect(await forget.run()).toBe(0);
    now += 120_000;
    expect(await forget.run()).toBe(1);
    expect(await forget.run()).toBe(0);
    expect(await dataOf(id)).toEqual({ v: 1, input: null, tags: ['kept'] });
    expect(await dataOf(later)).toMatchObject({ input: { format: 'plain' } });
    now += hour;
    expect(await forget.run()).toBe(1);
  });
});

describe('A task that BullMQ ended by itself', () => {
  it('is found and kept as a failed one is: a week', async () => {
    const id = await enqueue(['a']);
    const worker = new Worker('text', null, { connection: { url: redisUrl, maxRetriesPerRequest: null }, prefix });
    const job = await worker.getNextJob('test', { block: false });
    expect(job?.id).toBe(parseTaskId(id)?.jobId);
    await job?.moveToCompleted({}, 'test', false);
    await worker.close();
    const unlisted = unlistedDuty({ redis: mill.redis, keys: mill.keys, now: () => now });
    expect(await unlisted.run()).toBe(1);
    expect(await unlisted.run()).toBe(0);
    now += week - 60_000;
    expect(await retention('tight').run()).toBe(0);
    now += 120_000;
    expect(await retention('tight').run()).toBe(1);
    expect(await isKnown(id)).toBe(false);
  });
});
