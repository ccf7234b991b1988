import { readQueueFacts } from '@millrace/shared/redis/queue-facts';
import { type QueueReport, reportOf } from '@millrace/shared/redis/queue-report';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { beatOf } from './beat.ts';
import { embedTask, openTestApi, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await test.api.close();
});

async function report(family: string): Promise<QueueReport> {
  const { queues } = (await (await test.get('/v1/queues')).json()) as { queues: QueueReport[] };
  const found = queues.find((queue) => queue.family === family);
  if (found === undefined) throw new Error(`no report of ${family}`);
  return found;
}

describe('GET /v1/queues', () => {
  it('tells each family, also one that has nothing to do', async () => {
    expect(await report('vector')).toEqual({
      family: 'vector',
      paused: false,
      counts: { scheduled: 0, queued: 0, running: 0, succeeded: 0, failed: 0 },
      waiting: [],
      oldestWaitingMs: null,
      endedPerMinute: 0,
      drainMs: 0,
      workers: 0,
      wantedWorkers: 1,
    });
  });

  it('counts what waits by priority, most urgent first, and how long it has waited', async () => {
    for (const priority of ['critical', 'high', 'high', undefined, 7, 2 ** 21 - 1]) {
      await test.post('/v1/tasks', embedTask(['a'], { ...(priority === undefined ? {} : { priority }) }));
    }
    await test.post('/v1/tasks', embedTask(['a'], { delayMs: 3_600_000 }));
    const { counts, waiting, oldestWaitingMs, drainMs } = await report('inference');
    expect(counts).toEqual({ scheduled: 1, queued: 6, running: 0, succeeded: 0, failed: 0 });
    expect(waiting).toEqual([
      { priority: 1, name: 'critical', tasks: 1 },
      { priority: 7, name: null, tasks: 1 },
      { priority: 10, name: 'high', tasks: 2 },
      { priority: 100, name: 'normal', tasks: 1 },
      { priority: 2 ** 21 - 1, name: null, tasks: 1 },
    ]);
    expect(oldestWaitingMs).toBeGreaterThanOrEqual(0);
    expect(oldestWaitingMs).toBeLessThan(60_000);
    expect(drainMs).toBeNull();
  });

  it('counts tasks of a bare producer on their way to a priority as waiting, too', async () => {
    const queue = test.mill.queues.get('text');
    await queue?.pause();
    await queue?.add('text.clean', { v: 1, input: { texts: ['a'], format: 'plain' } });
    const { paused, counts } = await report('text');
    expect(paused).toBe(true);
    expect(counts.queued).toBe(1);
    // The API's own sweeper gives it the normal priority.
    await expect
      .poll(async () => (await report('text')).waiting)
      .toEqual([{ priority: 100, name: 'normal', tasks: 1 }]);
    await queue?.resume();
  });

  it('knows which of the scheduled could run by now, though no worker lives that would move them', async () => {
    const task = { type: 'text.clean', input: { texts: ['a'], format: 'plain' } };
    await test.post('/v1/tasks', { ...task, delayMs: 1 });
    await test.post('/v1/tasks', { ...task, delayMs: 3_600_000 });
    await expect.poll(async () => await readQueueFacts(test.mill, 'text', [])).toMatchObject({ scheduled: 2, due: 1 });
  });

  it('tells what ended, and how fast', async () => {
    const worker = openStandInWorker(test);
    await test.post('/v1/tasks?wait=20', embedTask(['fail'], { priority: 2 ** 21 - 1 }));
    await worker.close();
    const { counts, endedPerMinute, drainMs, waiting } = await report('inference');
    expect(counts).toEqual({ scheduled: 1, queued: 0, running: 0, succeeded: 6, failed: 1 });
    expect(waiting).toEqual([]);
    expect(endedPerMinute).toBeGreaterThan(0);
    expect(drainMs).toBe(0);
  });

  it('wants as many workers as would empty the queue in a minute', () => {
    const nothing = {
      scheduled: 0,
      due: 0,
      parents: 0,
      running: 0,
      succeeded: 0,
      failed: 0,
      paused: false,
      waiting: [],
    };
    const now = 600_000;
    const wanted = (queued: number, workers: number, ended: readonly [number, number]) => {
      // How many ended in the last five minutes, and in the last ten seconds.
      const [told, recent] = ended;
      const since = [
        { count: told, firstAt: told === 0 ? undefined : now - 300_000 },
        { count: recent, firstAt: recent === 0 ? undefined : now - 10_000 },
      ];
      return reportOf({ family: 'text', facts: { ...nothing, queued, ended: since }, workers, now }).wantedWorkers;
    };
    expect(wanted(0, 0, [0, 0])).toBe(1);
    expect(wanted(0, 4, [3000, 100])).toBe(1);
    // 600 a minute by 4 workers: 3,000 waiting take them 5 minutes.
    expect(wanted(3000, 4, [3000, 100])).toBe(20);
    expect(wanted(300, 4, [3000, 100])).toBe(2);
    // A rush after a quiet time is measured by what the workers do in it.
    expect(wanted(3000, 4, [110, 100])).toBe(20);
    // Nothing is known of their speed yet, or there are none: as many as there are, at least one.
    expect(wanted(3000, 4, [0, 0])).toBe(4);
    expect(wanted(3000, 0, [100, 100])).toBe(1);
    expect(wanted(1e9, 4, [100, 100])).toBe(40);
  });

  it('wants workers for what could run now: not for what waits for others, and for nothing while it is paused', () => {
    const now = 600_000;
    // 600 a minute by 4 workers.
    const base = { scheduled: 9000, due: 0, parents: 0, queued: 0, running: 0, succeeded: 0, failed: 0, paused: false };
    const facts = { ...base, waiting: [], ended: [{ count: 3000, firstAt: now - 300_000 }] };
    const wanted = (seen: Partial<typeof facts>, drainTargetMs?: number) =>
      reportOf({ family: 'text', facts: { ...facts, ...seen }, workers: 4, now, drainTargetMs }).wantedWorkers;
    expect(wanted({})).toBe(1);
    expect(wanted({ due: 3000 })).toBe(20);
    expect(wanted({ queued: 3000, parents: 2700 })).toBe(2);
    expect(wanted({ queued: 3000, paused: true })).toBe(1);
    expect(wanted({ queued: 3000 }, 300_000)).toBe(4);
    expect(wanted({ queued: 3000 }, 30_000)).toBe(40);
  });
});

describe('Workers', () => {
  it('are listed while they live, with what each is doing', async () => {
    const running = [{ id: 'i-1', type: 'inference.embed', attempt: 1, since: new Date().toISOString(), batch: null }];
    await test.mill.workers.beat(beatOf({ id: 'b', running, held: 1 }), []);
    await test.mill.workers.beat(beatOf({ id: 'a', families: ['text'] }), []);
    const { workers } = (await (await test.get('/v1/workers')).json()) as { workers: { id: string }[] };
    expect(workers).toMatchObject([
      { id: 'a', families: ['text'] },
      { id: 'b', running, held: 1 },
    ]);
    expect([(await report('text')).workers, (await report('inference')).workers]).toEqual([2, 1]);
    await test.mill.workers.remove('a');
    expect((await report('text')).workers).toBe(1);
  });

  it('make the mill warm when one has loaded the bundled model', async () => {
    const readiness = async () => await (await test.get('/readyz')).json();
    expect(await readiness()).toMatchObject({ ready: true, redis: 'up', worker: { warm: false, count: 1 } });
    const model = { name: bundledModel, fingerprint: 'f', pinned: true };
    await test.mill.workers.beat(beatOf({ id: 'b', models: [{ ...model, warm: false }] }), []);
    expect(await readiness()).toMatchObject({ worker: { warm: false, count: 1 } });
    await test.mill.workers.beat(beatOf({ id: 'b', models: [{ ...model, warm: true }] }), []);
    expect(await readiness()).toMatchObject({ worker: { warm: true, count: 1 } });
  });
});
