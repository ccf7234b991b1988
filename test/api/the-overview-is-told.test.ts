import { EventEmitter, once } from 'node:events';
import { byMinute, minutesKept } from '@millrace/shared/queue-rates';
import { Queue, Worker } from 'bullmq';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { OverviewFeed } from '../../apps/api/src/overview/overview-feed.ts';
import { type Overview, overviewSchema } from '../../apps/api/src/overview/overview-schema.ts';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { beatOf } from './beat.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';
import { readEvents } from './read-events.ts';

const redisUrl = inject('redisUrl');
let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(redisUrl);
});
afterAll(async () => {
  await test.api.close();
});

async function overviewOf(api: TestApi = test): Promise<Overview> {
  const response = await api.get('/v1/overview');
  expect(response.status).toBe(200);
  return overviewSchema.parse(await response.json());
}

/** The overview is read once a second, so what is new is seen with the next look. */
function soon<T>(pick: (overview: Overview) => T, api?: TestApi) {
  return expect.poll(async () => pick(await overviewOf(api)), { timeout: 20_000 });
}

/** Real jobs, ended by BullMQ as a worker of ours would have them ended. */
async function endJobs(family: 'text' | 'vector', ends: readonly (readonly [name: string, reason?: string])[]) {
  const connection = { url: redisUrl, maxRetriesPerRequest: null };
  const queue = new Queue(family, { connection, prefix: test.prefix });
  const end = async (job: { data: { reason?: string } }) => {
    if (job.data.reason !== undefined) throw new Error(job.data.reason);
  };
  const metrics = { maxDataPoints: minutesKept };
  const worker = new Worker(family, end, { connection, prefix: test.prefix, metrics });
  worker.on('error', () => {});
  let left = ends.length;
  const ended = new EventEmitter();
  const count = () => {
    left -= 1;
    if (left === 0) ended.emit('all');
  };
  worker.on('completed', count).on('failed', count);
  const all = once(ended, 'all');
  for (const [name, reason] of ends) await queue.add(name, { v: 1, input: {}, reason });
  await all;
  await worker.close();
  await queue.close();
}

describe('GET /v1/overview', () => {
  it('tells a mill in which nothing is', async () => {
    const overview = await overviewOf();
    expect(overview.keys).toBe(false);
    expect(overview.redis.usedBytes).toBeGreaterThan(0);
    expect(overview.queues.map(({ family }) => family)).toEqual(['text', 'inference', 'vector']);
    expect(overview.rates.map(({ succeeded, failed }) => [succeeded.length, failed.length])).toEqual(
      Array(3).fill([60, 60]),
    );
    expect(overview.workers).toEqual({ total: 0, listed: [] });
    expect(overview.calls).toEqual({ overMs: null, types: [] });
    expect(overview.runs.listed).toEqual([]);
    expect(overview.collections).toEqual({ total: 0, listed: [] });
    expect(overview.failures).toEqual({ examined: 0, total: 0, groups: [] });
  });

  it('tells tasks that wait, workers and the copies that they have of collections', async () => {
    await test.post('/v1/tasks', embedTask(['a']));
    await test.send('PUT', '/v1/collections/notes', { dimensions: 2, metric: 'cosine' });
    const running = Array.from({ length: 5 }, (_, age) => ({
      ...{ id: `i-${age}`, type: 'inference.embed', attempt: 1, batch: null },
      since: new Date(1_000_000 - age).toISOString(),
    }));
    const lane = { id: 'l', pid: 2, calls: 0, restarts: 0, recycled: 0 };
    const replica = { collection: 'notes', version: 1, points: 0, loaded: 0, indexed: 0, bytes: 10, ef: 100 };
    const beat = beatOf({
      ...{ id: 'w', running, held: 5, memory: { rssBytes: 100, heapUsedBytes: 1 } },
      lanes: [
        { ...lane, family: 'inference', state: 'busy', rssBytes: 20 },
        { ...lane, family: 'text', state: 'starting', rssBytes: null },
      ],
      replicas: [{ ...replica, state: 'following', lag: 3, toIndex: 7, recall: 0.9 }],
    });
    await test.mill.workers.beat(beat, []);
    await soon(({ workers }) => workers.total).toBe(1);
    const { workers, queues, collections } = await overviewOf();
    expect(workers.listed[0]).toMatchObject({ id: 'w', memoryBytes: 120, held: 5 });
    // Those that it has held longest.
    expect(workers.listed[0]?.running.map(({ id }) => id)).toEqual(['i-4', 'i-3', 'i-2']);
    expect(queues.find(({ family }) => family === 'inference')?.counts.queued).toBe(1);
    expect(collections.listed).toEqual([
      {
        ...{ name: 'notes', points: 0, dimensions: 2, metric: 'cosine', copies: 1, ready: 1 },
        ...{ lag: 3, toIndex: 7, recall: 0.9, bytes: 10 },
      },
    ]);
  });

  it('tells how full the calls of all workers were', async () => {
    const values = (name: string, sum: number, count: number) => ({
      ...{ name, help: '', type: 'histogram' },
      values: [
        { value: sum, labels: { type: 'text.clean' }, metricName: `${name}_sum` },
        { value: count, labels: { type: 'text.clean' }, metricName: `${name}_count` },
      ],
    });
    const metrics = (calls: number) => [
      values('millrace_call_items', calls * 30, calls),
      values('millrace_call_tasks', calls * 10, calls),
      values('millrace_call_fill_ratio', calls * 0.5, calls),
      values('millrace_call_seconds', calls * 2, calls),
    ];
    const other = await openTestApi(redisUrl);
    await other.mill.workers.beat(beatOf({ id: 'one' }), metrics(3));
    await other.mill.workers.beat(beatOf({ id: 'other' }), metrics(1));
    expect((await overviewOf(other)).calls).toEqual({
      overMs: null,
      types: [
        {
          ...{ type: 'text.clean', calls: 4, items: 120, itemsPerCall: 30, tasksPerCall: 10 },
          ...{ fill: 0.5, secondsPerCall: 2 },
        },
      ],
    });
    await other.api.close();
  });

  it('tells failed tasks by type and code, and each group can be tried again by itself', async () => {
    await endJobs('text', [
      ['text.clean', 'INTERNAL: a wheel is stuck'],
      ['text.clean', 'INTERNAL: another wheel is stuck'],
      ['text.clean', 'TASK_TIMEOUT: too long'],
      ['text.chunk', 'no code at all'],
      ['text.clean', 'CANCELLED: somebody wanted it so'],
      ['text.clean', 'EXPIRED: too late'],
    ]);
    await soon(({ failures }) => failures.total).toBe(6);
    const groups = async () => (await overviewOf()).failures.groups.map(({ type, code, tasks }) => [type, code, tasks]);
    expect(new Set(await groups())).toEqual(
      new Set([
        ['text.clean', 'INTERNAL', 2],
        ['text.clean', 'TASK_TIMEOUT', 1],
        ['text.chunk', 'PROCESSOR_FAILED', 1],
      ]),
    );
    const answer = await test.post('/v1/tasks/retry', { type: 'text.clean', family: 'text', code: 'INTERNAL' });
    expect(await answer.json()).toEqual({ retried: 2, more: false });
    await soon(({ failures }) => failures.groups.map(({ code }) => code).sort()).toEqual([
      'PROCESSOR_FAILED',
      'TASK_TIMEOUT',
    ]);
    const { newest } = (await overviewOf()).failures.groups.find(({ code }) => code === 'TASK_TIMEOUT') ?? {};
    expect(newest?.message).toBe('too long');
    expect((await test.get(`/v1/tasks/${newest?.id}/explain`)).status).toBe(200);
  });

  it('tells the rate of the last hour right after the API was started again, also of tasks that were removed', async () => {
    await endJobs('vector', [['vector.search'], ['vector.search'], ['vector.search', 'INTERNAL: x']]);
    const queue = test.mill.queues.get('vector');
    expect(await queue?.clean(0, 100, 'completed')).toHaveLength(2);
    const again = await openTestApi(redisUrl, { MILLRACE_PREFIX: test.prefix });
    const { rates } = await overviewOf(again);
    const { succeeded = [], failed = [] } = rates.find(({ family }) => family === 'vector') ?? {};
    const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
    expect([sum(succeeded), sum(failed)]).toEqual([2, 1]);
    expect(sum(succeeded.slice(-5))).toBe(2);
    await again.api.close();
  });
});

describe('Counts by minute', () => {
  /** BullMQ's own bookkeeping (its script collectMetrics), in few words. */
  function bookkeeping(times: readonly number[]) {
    const meta = { count: 0, prevTS: 0, prevCount: 0 };
    let data: number[] = [];
    for (const time of times) {
      const before = meta.count;
      meta.count += 1;
      if (meta.prevTS === 0) {
        meta.prevTS = time;
        continue;
      }
      const passed = Math.floor(time / 60_000) - Math.floor(meta.prevTS / 60_000);
      if (passed <= 0) continue;
      const zeros = Array.from({ length: passed - 1 }, () => 0);
      data = [...zeros, before - meta.prevCount, ...data].slice(0, minutesKept);
      Object.assign(meta, { prevCount: before, prevTS: time });
    }
    return { meta, data };
  }

  it('are those of the clock, whenever tasks ended', () => {
    const start = 1_000 * 60_000;
    const gaps = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 200 });
    const idle = fc.integer({ min: 0, max: 7_200_000 });
    fc.assert(
      fc.property(gaps, idle, (steps, idleMs) => {
        const times: number[] = [];
        for (const gap of steps) times.push((times.at(-1) ?? start) + gap);
        const now = (times.at(-1) ?? start) + idleMs;
        const expected = Array.from({ length: 60 }, (_, index) => {
          const minute = Math.floor(now / 60_000) - (59 - index);
          return times.filter((time) => Math.floor(time / 60_000) === minute).length;
        });
        expect(byMinute(bookkeeping(times), { now, minutes: 60 })).toEqual(expected);
      }),
    );
  });
});

describe('The looks that all share', () => {
  const overview = {} as Overview;

  it('begin at most once a second and never overlap, however many ask', async () => {
    let now = 0;
    let reads = 0;
    let finish = () => {};
    const feed = new OverviewFeed({
      now: () => now,
      read: async () => {
        reads += 1;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return overview;
      },
    });
    const first = Array.from({ length: 100 }, () => feed.latest());
    now = 5000;
    const stillFirst = feed.latest();
    expect(reads).toBe(1);
    finish();
    expect(new Set(await Promise.all([...first, stillFirst])).size).toBe(1);
    now = 5999;
    const second = feed.latest();
    expect(reads).toBe(2);
    finish();
    await second;
    now = 6998;
    await feed.latest();
    expect(reads).toBe(2);
    now = 6999;
    const third = feed.latest();
    expect(reads).toBe(3);
    finish();
    await third;
  });

  it('are made for nobody who does not take them, and tell what went wrong', async () => {
    let reads = 0;
    const feed = new OverviewFeed({
      now: () => performance.now(),
      read: async () => {
        reads += 1;
        if (reads === 1) throw new Error('away');
        return overview;
      },
    });
    const over = new AbortController();
    const looks = feed.follow(over.signal);
    expect(reads).toBe(0);
    expect((await looks.next()).value).toMatchObject({ kind: 'missed', error: { message: 'away' } });
    expect((await looks.next()).value).toEqual({ kind: 'seen', text: '{}' });
    expect(reads).toBe(2);
    over.abort();
    expect((await looks.next()).done).toBe(true);
    expect(reads).toBe(2);
  });
});

describe('GET /v1/overview/events', () => {
  it('gives the same look to all who follow, and ends when the API does', async () => {
    const other = await openTestApi(redisUrl);
    const streams = await Promise.all(
      Array.from({ length: 5 }, async () => readEvents(await other.get('/v1/overview/events'))),
    );
    const seen = await Promise.all(
      streams.map(async (events) => {
        const some = [await events.next(), await events.next(), await events.next()];
        return some.map(({ value }) => value);
      }),
    );
    for (const events of seen) {
      for (const event of events) expect(overviewSchema.parse(event?.data)).toBeDefined();
      const times = events.map((event) => event?.data['at']);
      expect(new Set(times).size).toBe(3);
    }
    const looks = new Set(seen.flat().map((event) => event?.data['at']));
    expect(looks.size).toBeLessThan(15);
    await other.api.close();
    for (const events of streams) for await (const event of events) expect(event.event).toBe('overview');
  });

  it('says that Redis is away, and goes on', async () => {
    const other = await openTestApi(`redis://127.0.0.1:${await freePort()}`);
    const response = await other.get('/v1/overview');
    expect(response.status).toBe(503);
    expect((await problemIn(response)).code).toBe('REDIS_UNAVAILABLE');
    const events = readEvents(await other.get('/v1/overview/events'));
    for (let times = 0; times < 2; times += 1) {
      expect((await events.next()).value).toMatchObject({ event: 'problem', data: { code: 'REDIS_UNAVAILABLE' } });
    }
    await events.return(undefined);
    await other.api.close();
  });
});
