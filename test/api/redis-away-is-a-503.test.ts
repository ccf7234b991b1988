import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

/** Promised: an answer within three seconds, whatever Redis does. */
const promisedMs = 3000;

let redis: PrivateRedis;
let test: TestApi;
beforeAll(async () => {
  redis = await startRedis();
  test = await openTestApi(redis.url);
});
afterAll(async () => {
  await test.api.close();
  await redis.stop();
});

const id = 'i-01a20f0c-44ab-7483-9b07-23eeade889c6';
const clean = { type: 'text.clean', input: { texts: ['a'], format: 'plain' } };
const bulk = { tasks: [embedTask(['a']), clean, embedTask(['b'])] };
const needRedis: readonly [string, () => Promise<Response>][] = [
  ['POST /v1/tasks', () => test.post('/v1/tasks', embedTask(['a']))],
  ['POST /v1/tasks?wait=30', () => test.post('/v1/tasks?wait=30', embedTask(['a']))],
  ['POST /v1/tasks/bulk', () => test.post('/v1/tasks/bulk', bulk)],
  [
    'POST /v1/tasks/bulk as lines',
    () =>
      test.post('/v1/tasks/bulk', `${JSON.stringify(clean)}\n`.repeat(5000), {
        'content-type': 'application/x-ndjson',
      }),
  ],
  ['GET /v1/tasks/{id}', () => test.get(`/v1/tasks/${id}`)],
  ['GET /v1/tasks/{id}?wait=30', () => test.get(`/v1/tasks/${id}?wait=30`)],
  ['GET /v1/tasks/{id}/result', () => test.get(`/v1/tasks/${id}/result`)],
  [
    'POST /v1/tasks with an Idempotency-Key',
    () => test.post('/v1/tasks', embedTask(['a']), { 'idempotency-key': 'k' }),
  ],
  ['GET /v1/tasks', () => test.get('/v1/tasks')],
  ['GET /v1/tasks/{id}/events', () => test.get(`/v1/tasks/${id}/events`)],
  ['GET /v1/tasks/{id}/explain', () => test.get(`/v1/tasks/${id}/explain`)],
  ['POST /v1/tasks/{id}/cancel', () => test.post(`/v1/tasks/${id}/cancel`, '')],
  ['POST /v1/tasks/{id}/retry', () => test.post(`/v1/tasks/${id}/retry`, '')],
  ['POST /v1/tasks/{id}/priority', () => test.post(`/v1/tasks/${id}/priority`, { priority: 1 })],
  ['POST /v1/tasks/retry', () => test.post('/v1/tasks/retry', { family: 'text' })],
  ['POST /v1/queues/{family}/pause', () => test.post('/v1/queues/text/pause', '')],
  ['GET /v1/schedules', () => test.get('/v1/schedules')],
  ['PUT /v1/schedules/{name}', () => test.send('PUT', '/v1/schedules/s', { everyMs: 1000, task: clean })],
  ['GET /v1/queues', () => test.get('/v1/queues')],
  ['GET /v1/workers', () => test.get('/v1/workers')],
];

async function expectUnavailable(send: () => Promise<Response>): Promise<void> {
  const began = performance.now();
  const response = await send();
  expect(response.status).toBe(503);
  expect(await problemIn(response)).toMatchObject({ status: 503, code: 'REDIS_UNAVAILABLE' });
  expect(response.headers.get('retry-after')).toBe('1');
  expect(performance.now() - began).toBeLessThan(promisedMs);
}

async function expectTheRestWorks(): Promise<void> {
  expect((await test.get('/healthz')).status).toBe(200);
  expect((await test.get('/v1/task-types')).status).toBe(200);
  expect((await test.get('/metrics')).status).toBe(200);
  const readiness = await test.get('/readyz');
  expect(readiness.status).toBe(503);
  expect(await readiness.json()).toMatchObject({ ready: false, redis: 'down' });
  // What is wrong with a task is said in any case.
  expect((await test.post('/v1/tasks', embedTask(['']))).status).toBe(422);
}

describe('While Redis is dead', () => {
  beforeAll(async () => {
    await redis.kill();
    await vi.waitUntil(async () => (await test.get('/readyz')).status === 503);
  });

  it.each(needRedis)('%s says so within three seconds', async (_name, send) => {
    await expectUnavailable(send);
  });

  it('what needs no Redis works', expectTheRestWorks);

  it('and when it is back all works again by itself', async () => {
    await redis.restart();
    await expect.poll(async () => (await test.get('/readyz')).status, { timeout: 10_000 }).toBe(200);
    const worker = openStandInWorker(test);
    expect((await test.post('/v1/tasks?wait=20', embedTask(['a']))).status).toBe(200);
    await worker.close();
  });
});

describe('While Redis hangs', () => {
  afterEach(() => {
    process.kill(redis.pid, 'SIGCONT');
  });

  it.each(needRedis)('%s says so within three seconds', async (_name, send) => {
    process.kill(redis.pid, 'SIGSTOP');
    await expectUnavailable(send);
  });

  it('what needs no Redis works', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    await expectTheRestWorks();
  });

  it('and when it goes on all works again by itself', async () => {
    const worker = openStandInWorker(test);
    expect((await test.post('/v1/tasks?wait=20', embedTask(['a']))).status).toBe(200);
    await worker.close();
  });
});

describe('When Redis goes away in the middle of lines', () => {
  it('those before are accepted, those after are told that they were not', async () => {
    await test.mill.queues.get('text')?.obliterate({ force: true });
    const body = new ReadableStream({
      start: async (controller) => {
        controller.enqueue(Buffer.from(`${JSON.stringify(clean)}\n`));
        const { queues } = test.mill;
        await expect.poll(async () => await queues.get('text')?.getJobCountByTypes('prioritized')).toBeGreaterThan(0);
        await redis.kill();
        controller.enqueue(Buffer.from(`${JSON.stringify(clean)}\n{}\n${JSON.stringify(clean)}\n`));
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/x-ndjson' };
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', headers, body, duplex: 'half' };
    const response = await fetch(`${test.url}/v1/tasks/bulk`, init);
    const { items } = (await response.json()) as { items: { status: number; error?: { code: string } }[] };
    expect(items.map(({ status, error }) => error?.code ?? status)).toEqual([
      202,
      'REDIS_UNAVAILABLE',
      'INVALID_INPUT',
      'REDIS_UNAVAILABLE',
    ]);
    await redis.restart();
  });
});

describe('When Redis is full', () => {
  it('a task is refused with 429 and when to come again, and later accepted', async () => {
    await expect.poll(async () => (await test.get('/readyz')).status, { timeout: 10_000 }).toBe(200);
    await test.mill.redis.config('SET', 'maxmemory', '1mb');
    const response = await test.post('/v1/tasks', embedTask(['a']));
    expect(response.status).toBe(429);
    expect((await problemIn(response)).code).toBe('QUEUE_FULL');
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const answer = await (await test.post('/v1/tasks/bulk', bulk)).json();
    expect(answer).toMatchObject({
      accepted: 0,
      refused: 3,
      items: [{ status: 429 }, { status: 429 }, { status: 429 }],
    });
    await test.mill.redis.config('SET', 'maxmemory', '0');
    // What is known of Redis is used for a quarter of a second.
    await expect.poll(async () => (await test.post('/v1/tasks', embedTask(['a']))).status).toBe(202);
  });
});
