import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { agingDuty } from '@millrace/shared/sweep/aging';
import type { Duty } from '@millrace/shared/sweep/sweeper';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { newTaskId } from '@millrace/shared/tasks/ids';
import { type Job, Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { enqueueAll } from '../setup/enqueue-all.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const boundMs = 300_000;
const token = 'test';
let prefix: string;
let mill: Mill;
let fetcher: Worker;
/** Simulated, ms since 1970. */
let now: number;
let aging: Duty;

beforeEach(() => {
  prefix = ownPrefix();
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });
  fetcher = new Worker('text', null, { connection: { url: redisUrl, maxRetriesPerRequest: null }, prefix });
  now = Date.now();
  aging = agingDuty({ redis: mill.redis, keys: mill.keys, queues: mill.queues, boundMs, now: () => now });
});
afterEach(async () => {
  await fetcher.close();
  await mill.close();
  await stopProcesses();
});

/** Adds a job as it would have been added at the simulated time. */
async function add(priority: number, options: { delay?: number } = {}): Promise<string> {
  const jobId = newTaskId('text');
  const data = { v: 1, input: { texts: ['a'], format: 'plain' } };
  await mill.queues.get('text')?.add('text.clean', data, { jobId, priority, timestamp: now, attempts: 3, ...options });
  return jobId;
}

async function fetchJob(): Promise<Job> {
  const job = await fetcher.getNextJob(token, { block: false });
  if (job === undefined) throw new Error('the queue is empty');
  return job;
}

/** One simulated second: five tasks start, and five more urgent ones come for them. */
async function second(priority: number): Promise<(string | undefined)[]> {
  now += 1000;
  await aging.run();
  const started: (string | undefined)[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    await add(priority);
    const job = await fetchJob();
    started.push(job.id);
    await job.moveToCompleted({}, token, false);
  }
  return started;
}

describe('Under an endless flood of more urgent tasks', () => {
  it('a task starts when it has waited for the bound, those that waited longer first', async () => {
    for (let filler = 0; filler < 20; filler += 1) await add(10);
    const came = now;
    const first = await add(1000);
    now += 2000;
    const next = await add(100);
    now += 2000;
    const last = await add(1000);
    const startedAt = new Map<string | undefined, number>();
    while (!startedAt.has(last) && now - came < boundMs + 60_000) {
      for (const id of await second(10)) startedAt.set(id, now);
    }
    const waited = [first, next, last].map((id) => (startedAt.get(id) ?? Number.NaN) - came);
    expect(waited).toEqual([boundMs, boundMs + 2000, boundMs + 4000]);
  });

  it('it goes ahead of critical ones that have not waited, and of raised ones the oldest goes first', async () => {
    const old = [await add(1000), await add(100), await add(1), await add(500)];
    now += boundMs - 1;
    expect(await aging.run()).toBe(0);
    now += 1;
    const fresh = await add(1);
    expect(await aging.run()).toBe(4);
    expect(await aging.run()).toBe(0);
    const order = [];
    for (let turn = 0; turn < 5; turn += 1) order.push((await fetchJob()).id);
    expect(order).toEqual([...old, fresh]);
  });

  it('the wait of a delayed task counts from when it was due', async () => {
    const delayed = await add(1000, { delay: 1000 });
    await mill.queues
      .get('text')
      ?.getJob(delayed)
      .then((job) => job?.promote());
    now += 500;
    const other = await add(100);
    now += boundMs;
    expect(await aging.run()).toBe(1);
    expect((await fetchJob()).id).toBe(other);
    await add(10);
    now += 499;
    expect(await aging.run()).toBe(0);
    now += 1;
    expect(await aging.run()).toBe(1);
    expect((await fetchJob()).id).toBe(delayed);
  });

  it('a worker starts it although more urgent ones never cease to come', async () => {
    await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text', AGING_BOUND: '2000', BATCH_ITEMS: '4' } });
    const task = (priority: 'high' | 'low') => ({
      type: 'text.clean',
      input: { texts: ['<p>wheel</p>'.repeat(4000)], format: 'html' },
      priority,
    });
    const flood = async () => void (await enqueueAll(mill, new Array(200).fill(task('high'))));
    await flood();
    const [low] = await enqueueAll(mill, [task('low')]);
    if (low === undefined || !('id' in low)) throw new Error('not accepted');
    let over = false;
    const ended = waitForEnd(mill, low.id, 30_000).finally(() => {
      over = true;
    });
    let least = Number.POSITIVE_INFINITY;
    while (!over) {
      const waiting = (await mill.queues.get('text')?.getJobCountByTypes('prioritized')) ?? 0;
      least = Math.min(least, waiting);
      if (waiting < 600) await flood();
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await ended).toBe(true);
    // There always was something more urgent.
    expect(least).toBeGreaterThan(10);
    const { timings } = await mill.reader.view(low.id);
    expect((timings.queuedMs ?? 0) + (timings.batchedMs ?? 0)).toBeGreaterThanOrEqual(2000);
    // A round of the sweep, and the calls that were ahead.
    expect((timings.queuedMs ?? 0) + (timings.batchedMs ?? 0)).toBeLessThan(10_000);
  });
});

describe('Where nothing is more urgent', () => {
  it('nothing is moved, however long it has waited', async () => {
    const first = await add(1000);
    await add(1000);
    now += 10 * boundMs;
    expect(await aging.run()).toBe(0);
    expect(await fetchJob()).toMatchObject({ id: first, priority: 1000 });
  });
});

describe('A task that comes back', () => {
  it('has its priority still, whether it was given back or failed', async () => {
    const [returned, failed] = [await add(1000), await add(1000)];
    await (await fetchJob()).moveToWait(token);
    expect(await fetchJob()).toMatchObject({ id: returned, priority: 1000 });
    await (await fetchJob()).moveToFailed(new Error('PROCESSOR_FAILED: once'), token, false);
    const ahead = await add(10);
    expect((await fetchJob()).id).toBe(ahead);
    expect(await fetchJob()).toMatchObject({ id: failed, priority: 1000 });
  });
});
