import { fileURLToPath } from 'node:url';
import { silentLogger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import type { CallRecord } from '@millrace/shared/redis/call-records';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../../test/setup/mill.ts';
import { Batcher } from '../dist/batch/batcher.js';
// The built ones: a lane is a process of its own, which runs the built code.
import { Lanes } from '../dist/compute/lanes.js';
import type { LaneSetup } from '../dist/compute/protocol.js';
import { Dispatcher } from '../dist/process/dispatcher.js';
import { KnownValues } from '../dist/process/known-values.js';
import type { QueuedItem } from '../dist/process/queued-item.js';
import { RecentValues } from '../dist/process/recent-values.js';
import { SameItems } from '../dist/process/same-items.js';
import { heldTask } from './same-item-tasks.ts';

const plugin = fileURLToPath(new URL('../../../test/setup/trouble-plugin.mjs', import.meta.url));
const setup: LaneSetup = {
  ...{
    family: 'text' as const,
    modelsDir: '',
    modelMemory: 0,
    threads: 1,
    passTokens: 512,
    nice: 0,
    plugins: [plugin],
  },
  vector: { redisUrl: '', prefix: '', memoryBytes: 0, snapshotsDir: '' },
  logLevel: 'silent',
};
/** Of a lane that is asked to stop before it is killed. */
const vectorSetup = {
  ...setup,
  family: 'vector' as const,
  vector: { ...setup.vector, redisUrl: inject('redisUrl'), prefix: ownPrefix(), memoryBytes: 2 ** 20 },
};
const limits = { items: 16, cost: 1000, padded: false, waitMs: 20 };

let opened: Lanes | undefined;
afterEach(async () => {
  await opened?.close();
});

/** A dispatcher with one lane, which runs once `start` is called; what it notes of its calls. */
function openDispatcher(lane: LaneSetup = setup) {
  const metrics = new Metrics();
  const log = silentLogger();
  const batcher = new Batcher<QueuedItem>({ limits, agingMs: 60_000, now: Date.now });
  const lanes = new Lanes({ setup: lane, count: 1, memoryLimit: 0, log, metrics });
  opened = lanes;
  const known = new KnownValues({ recent: new RecentValues(0), shared: undefined });
  const same = new SameItems({ batcher, known, metrics, now: Date.now, onLookedUp: () => {} });
  const calls: CallRecord[] = [];
  const nothing = () => {};
  const dispatcher = new Dispatcher({
    ...{ family: 'text', workerId: 'w', batcher, same, lanes, log, metrics },
    ...{ onWindow: nothing, onCallEnd: nothing, onLaneStart: nothing },
    noteCall: (_place, call) => {
      if (calls.at(-1)?.id !== call.id) calls.push(call);
    },
  });
  const deaths = () => lanes.beats().reduce((sum, { restarts }) => sum + restarts, 0);
  return { dispatcher, lanes, calls, deaths };
}

const succeeded = (values: readonly string[]) => ({ kind: 'succeeded', values });

describe('A text that ends its lane', () => {
  it('does so three times for all tasks that have it, which are poisoned; the others of its call succeed', async () => {
    const { dispatcher, deaths } = openDispatcher();
    const poisoned = [heldTask(['abort']), heldTask(['fine', 'abort']), heldTask(['abort', 'abort'])];
    const fine = heldTask(['fine', 'good']);
    for (const task of [...poisoned, fine]) dispatcher.submit(task);
    await dispatcher.start();
    const ends = await Promise.all(poisoned.map((task) => task.ended));
    expect(ends).toEqual([
      expect.objectContaining({ code: 'POISONED', items: [{ index: 0, code: 'POISONED' }] }),
      expect.objectContaining({ code: 'POISONED', items: [{ index: 1, code: 'POISONED' }] }),
      expect.objectContaining({ code: 'POISONED', items: [{ index: 0, code: 'POISONED' }] }),
    ]);
    expect(await fine.ended).toEqual(succeeded(['fine', 'good']));
    // Once with the others, three times alone.
    expect(deaths()).toBe(4);
  });

  it('is noted for every task that has it, but held against none of several alone', async () => {
    const { dispatcher, calls } = openDispatcher();
    const tasks = [heldTask(['abort']), heldTask(['abort'])];
    for (const task of tasks) dispatcher.submit(task);
    await dispatcher.start();
    await Promise.all(tasks.map((task) => task.ended));
    const jobs = tasks.map(({ params }) => params.ref.jobId);
    for (const call of calls) expect(call).toMatchObject({ jobs, alone: null });
  });
});

describe('A text that makes its processor throw', () => {
  it('fails every task that has it, and is tried alone but once', async () => {
    const { dispatcher, calls } = openDispatcher();
    const failing = [heldTask(['throw']), heldTask(['throw', 'fine'])];
    const fine = heldTask(['fine']);
    for (const task of [...failing, fine]) dispatcher.submit(task);
    await dispatcher.start();
    for (const task of failing) expect(await task.ended).toMatchObject({ code: 'PROCESSOR_FAILED' });
    expect(await fine.ended).toEqual(succeeded(['fine']));
    expect(calls).toHaveLength(3);
  });
});

describe('A lane that suspects were to be computed in', () => {
  it('is there for others when nobody wants the suspects any more', async () => {
    const { dispatcher, deaths } = openDispatcher();
    const hanging = heldTask(['hang', 'fine'], { timeoutMs: 100 });
    dispatcher.submit(hanging);
    await dispatcher.start();
    await expect.poll(deaths).toBe(1);
    // Waits while the lane is the suspects': `hang` alone ends the task, and so nobody wants `fine`.
    const next = heldTask(['good']);
    dispatcher.submit(next);
    expect(await hanging.ended).toMatchObject({ code: 'TASK_TIMEOUT' });
    expect(await next.ended).toEqual(succeeded(['good']));
  });
});

describe('A text that takes longer than one task allows', () => {
  it('fails for that one alone: the others have the value when it is done', async () => {
    const { dispatcher } = openDispatcher();
    const hasty = heldTask(['work'], { timeoutMs: 1 });
    const patient = heldTask(['work', 'fine']);
    for (const task of [hasty, patient]) dispatcher.submit(task);
    await dispatcher.start();
    expect(await hasty.ended).toMatchObject({ code: 'TASK_TIMEOUT' });
    expect(await patient.ended).toEqual(succeeded(['work', 'fine']));
    expect(patient.calls).toBeGreaterThan(0);
  });

  it('is not computed for the impatient alone where a lane stops by itself', async () => {
    const { dispatcher, deaths } = openDispatcher({ ...vectorSetup, plugins: [plugin] });
    const hasty = heldTask(['dawdle'], { timeoutMs: 20 });
    const patient = heldTask(['unshared', 'dawdle']);
    const mate = heldTask(['fine']);
    for (const task of [hasty, patient, mate]) dispatcher.submit(task);
    await dispatcher.start();
    expect(await hasty.ended).toMatchObject({ code: 'TASK_TIMEOUT' });
    expect(await mate.ended).toEqual(succeeded(['fine']));
    expect(await patient.ended).toEqual(succeeded(['unshared', 'dawdle']));
    expect(deaths()).toBe(0);
  });

  it('fails for each when its own time is over', async () => {
    const { dispatcher } = openDispatcher();
    const tasks = [heldTask(['hang'], { timeoutMs: 100 }), heldTask(['hang'], { timeoutMs: 300 })];
    for (const task of tasks) dispatcher.submit(task);
    await dispatcher.start();
    expect(await tasks[0]?.ended).toMatchObject({ message: 'It took longer than its timeoutMs (100).' });
    expect(await tasks[1]?.ended).toMatchObject({ message: 'It took longer than its timeoutMs (300).' });
  });
});

describe('When the task that brought a text is cancelled', () => {
  it('while a lane computes it, and the lane dies, it is computed for the others', async () => {
    const { dispatcher, lanes } = openDispatcher();
    await dispatcher.start();
    const first = heldTask(['hang', 'fine'], { timeoutMs: 60_000 });
    dispatcher.submit(first);
    const other = heldTask(['fine']);
    dispatcher.submit(other);
    first.end({ kind: 'failed', code: 'CANCELLED', message: '', items: [] });
    process.kill(lanes.beats()[0]?.pid ?? 0, 'SIGKILL');
    expect(await other.ended).toEqual(succeeded(['fine']));
  });
});

describe('A worker that stops', () => {
  it('gives back every task that waits with any text, joined or not; those that are all being computed go on', async () => {
    const { dispatcher } = openDispatcher();
    await dispatcher.start();
    const [computing, joined] = [heldTask(['work']), heldTask(['work'])];
    for (const task of [computing, joined]) dispatcher.submit(task);
    // A lane holds two calls: what comes third waits.
    dispatcher.submit(heldTask(['fine']));
    const waiting = [heldTask(['good', 'work']), heldTask(['good'])];
    for (const task of waiting) dispatcher.submit(task);
    const suspect = heldTask(['work'], { suspect: true });
    dispatcher.submit(suspect);
    const back = dispatcher.drain();
    expect(back).toEqual(expect.arrayContaining([...waiting, suspect]));
    expect(back).not.toContain(joined);
    expect(back).not.toContain(computing);
    expect(await joined.ended).toEqual(succeeded(['work']));
  });
});
