import { followTask } from '@millrace/client/task-events';
import type { TaskView } from '@millrace/shared/tasks/task';
import type { Job } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

interface ServerSentEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** The events of a stream as they come, and all of them once it has ended. */
async function follow(test: TestApi, id: string, signal?: AbortSignal) {
  const response = await fetch(`${test.url}/v1/tasks/${id}/events`, signal === undefined ? {} : { signal });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const events: ServerSentEvent[] = [];
  const done = (async () => {
    let text = '';
    for await (const piece of response.body ?? []) {
      text += Buffer.from(piece).toString('utf8');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks.filter((one) => !one.startsWith(':'))) events.push(parseBlock(block));
    }
    return events;
  })();
  return { events, done };
}

function parseBlock(block: string): ServerSentEvent {
  const [, event = '', data = 'null'] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
  return { event, data: JSON.parse(data) };
}

const states = (events: readonly ServerSentEvent[]) =>
  events.filter(({ event }) => event === 'state').map(({ data }) => data['state']);
const enqueue = async (test: TestApi, task: unknown) =>
  ((await (await test.post('/v1/tasks', task)).json()) as TaskView).id;

describe('Whoever follows a task', () => {
  let test: TestApi;
  let worker: { close(): Promise<void> } | undefined;
  let letGo = () => {};
  const gated = async (job: Job) => {
    await job.updateProgress({ done: 1, total: 2 });
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
  };
  beforeAll(async () => {
    test = await openTestApi(inject('redisUrl'));
  });
  afterEach(async () => {
    letGo();
    await worker?.close();
    worker = undefined;
  });
  afterAll(async () => {
    await test.api.close();
  });

  it('is told its state at once, each change, how far it is, and all of it in the end', async () => {
    const id = await enqueue(test, embedTask(['a', 'b']));
    const { events, done } = await follow(test, id);
    await expect.poll(() => states(events)).toEqual(['queued']);
    worker = openStandInWorker({ ...test, until: gated });
    await expect.poll(() => events.length).toBe(3);
    letGo();
    expect((await done).map(({ event, data }) => [event, data['state'] ?? data['done']])).toEqual([
      ['state', 'queued'],
      ['state', 'running'],
      ['progress', 1],
      ['state', 'succeeded'],
      ['end', 'succeeded'],
    ]);
    expect(events.at(-1)?.data).toMatchObject({ id, progress: { done: 1, total: 2 }, calls: 1 });
    for (const { data } of events.filter(({ event }) => event === 'state')) {
      expect(data).toEqual({ id, state: expect.any(String), at: expect.stringMatching(/^20\d\d-/) });
    }
  });

  it('is told at once of a task that has ended', async () => {
    worker = openStandInWorker(test);
    const { id } = (await (await test.post('/v1/tasks?wait=20', embedTask(['fail']))).json()) as TaskView;
    const events = await (await follow(test, id)).done;
    expect(events.map(({ event }) => event)).toEqual(['state', 'end']);
    expect(events[1]?.data).toMatchObject({ id, state: 'failed', error: { message: 'the wheel is stuck' } });
  });

  it('is told when it is cancelled, tried again, and due', async () => {
    const id = await enqueue(test, embedTask(['a'], { delayMs: 3_600_000 }));
    const first = await follow(test, id);
    await expect.poll(() => states(first.events)).toEqual(['scheduled']);
    await test.post(`/v1/tasks/${id}/cancel`, '');
    expect(states(await first.done)).toEqual(['scheduled', 'cancelled']);
    await test.post(`/v1/tasks/${id}/retry`, '');
    const second = await follow(test, id);
    worker = openStandInWorker(test);
    expect(states(await second.done)).toEqual(['queued', 'running', 'succeeded']);
  });

  it('is told when it is removed', async () => {
    const id = await enqueue(test, embedTask(['a'], { delayMs: 3_600_000 }));
    const { events, done } = await follow(test, id);
    await expect.poll(() => events.length).toBe(1);
    await test.mill.queues.get('inference')?.remove(id);
    expect((await done).at(-1)).toMatchObject({ event: 'error', data: { code: 'TASK_NOT_FOUND', status: 404 } });
  });

  it('gets a plain error when there is no such task', async () => {
    for (const id of ['nonsense', 'text.none']) {
      const response = await test.get(`/v1/tasks/${id}/events`);
      expect(response.status).toBe(404);
      expect((await problemIn(response)).code).toBe('TASK_NOT_FOUND');
    }
    expect(test.mill.waiting.size).toBe(0);
  });

  it('is forgotten when it leaves', async () => {
    const id = await enqueue(test, embedTask(['a'], { delayMs: 3_600_000 }));
    const abort = new AbortController();
    const streams = await Promise.all(Array.from({ length: 200 }, () => follow(test, id, abort.signal)));
    await expect.poll(() => test.mill.waiting.size).toBe(200);
    abort.abort();
    await Promise.allSettled(streams.map(({ done }) => done));
    await expect.poll(() => test.mill.waiting.size).toBe(0);
  });

  it('shares one connection a family with all others', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => enqueue(test, embedTask(['a']))));
    const streams = await Promise.all(ids.map((id) => follow(test, id)));
    worker = openStandInWorker(test);
    for (const { done } of streams) expect((await done).at(-1)?.event).toBe('end');
    const clients = (await test.mill.redis.client('LIST')) as string;
    const own = clients.split('\n').filter((line) => line.includes('millrace:events:inference'));
    // Other test files have theirs in the same Redis.
    expect(own.length).toBeLessThanOrEqual(2);
  });

  it('is told now and then that nothing happened', async () => {
    const id = await enqueue(test, embedTask(['a'], { delayMs: 3_600_000 }));
    const abort = new AbortController();
    const kinds = [];
    for await (const { kind } of followTask(test.mill, id, { signal: abort.signal, quietMs: 20 })) {
      kinds.push(kind);
      if (kinds.length === 4) abort.abort();
    }
    expect(kinds).toEqual(['state', 'quiet', 'quiet', 'quiet']);
    expect(test.mill.waiting.size).toBe(0);
  });

  it('sees the stream end when the API closes', async () => {
    const own = await openTestApi(inject('redisUrl'));
    const { events, done } = await follow(own, await enqueue(own, embedTask(['a'], { delayMs: 3_600_000 })));
    await expect.poll(() => events.length).toBe(1);
    await own.api.close();
    expect((await done).map(({ event }) => event)).toEqual(['state']);
  });
});

describe('While Redis goes away and comes back', () => {
  let redis: PrivateRedis;
  let test: TestApi;
  beforeAll(async () => {
    redis = await startRedis();
    test = await openTestApi(redis.url);
    await test.api.redisChecked;
  });
  afterAll(async () => {
    await test.api.close();
    await redis.stop();
  });

  it('those who follow stay, and miss no end', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => enqueue(test, embedTask(['a']))));
    const streams = await Promise.all(ids.map((id) => follow(test, id)));
    await expect.poll(() => streams.every(({ events }) => events.length === 1)).toBe(true);
    // What was accepted within the last second may be lost with a Redis that is killed: that is not tried here.
    await redis.restart();
    const worker = openStandInWorker(test);
    for (const { done } of streams)
      expect((await done).at(-1)).toMatchObject({ event: 'end', data: { state: 'succeeded' } });
    await worker.close();
  });
});
