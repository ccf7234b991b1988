import { createHash, randomUUID } from 'node:crypto';
import { Millrace } from '@millrace/client';
import { retentionDuty } from '@millrace/shared/sweep/retention';
import type { TaskView } from '@millrace/shared/tasks/task';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await test.api.close();
});

const json = async (response: Response) => (await response.json()) as TaskView;
const later = embedTask(['a'], { delayMs: 3_600_000 });

function send(key: string, task: unknown = later, { api = test, query = '', headers = {} } = {}): Promise<Response> {
  return api.post(`/v1/tasks${query}`, task, { 'idempotency-key': key, ...headers });
}

/** How many jobs all queues hold. */
async function jobs({ mill }: TestApi = test): Promise<number> {
  const counts = await Promise.all([...mill.queues.values()].map((queue) => queue.getJobCountByTypes()));
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('The same request with the same Idempotency-Key', () => {
  it('gives the same task, as it stands now', async () => {
    const key = randomUUID();
    const first = await send(key);
    expect(first.status).toBe(202);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    const { id } = await json(first);
    const second = await send(key);
    expect(second.status).toBe(202);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('location')).toBe(`/v1/tasks/${id}`);
    expect(await json(second)).toMatchObject({ id, state: 'scheduled', createdAt: expect.any(String) });
  });

  it('makes one task, a hundred times at once, in whatever order its fields are written', async () => {
    const key = randomUUID();
    const before = await jobs();
    const { type, input, delayMs } = later;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) => send(key, at % 2 ? { type, input, delayMs } : { delayMs, input, type })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const ids = await Promise.all(answers.map(async (answer) => (await json(answer)).id));
    expect(new Set(ids).size).toBe(1);
    expect((await jobs()) - before).toBe(1);
  });

  it('gives the result when the task has ended, also to those who wait', async () => {
    const worker = openStandInWorker(test);
    const key = randomUUID();
    const task = embedTask(['a']);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(key, task, { query: '?wait=20' })));
    for (const answer of answers) expect(await json(answer)).toMatchObject({ state: 'succeeded', result: {} });
    const again = await send(key, task);
    expect(again.status).toBe(200);
    expect(await json(again)).toMatchObject({ state: 'succeeded', result: { dimensions: 384 } });
    await worker.close();
  });

  it('adds a task that never arrived, under the id that it would have had', async () => {
    const key = randomUUID();
    const { id } = await json(await send(key));
    await test.mill.queues.get('inference')?.remove(id);
    const again = await send(key);
    expect(again.headers.get('idempotent-replayed')).toBeNull();
    expect((await json(again)).id).toBe(id);
    expect((await test.get(`/v1/tasks/${id}`)).status).toBe(200);
  });

  it('makes a new task when the time of the old one is over', async () => {
    const key = randomUUID();
    const { id } = await json(await send(key));
    await test.post(`/v1/tasks/${id}/cancel`, '');
    expect((await json(await send(key))).id).toBe(id);
    await test.mill.redis.zadd(test.keys.ended('inference'), Date.now() - 1, id);
    const renewed = await json(await send(key, embedTask(['another'], { delayMs: 3_600_000 })));
    expect(renewed.id).not.toBe(id);
  });
});

describe('A key', () => {
  it('that stands for another task is refused', async () => {
    const key = randomUUID();
    await send(key);
    const before = await jobs();
    const response = await send(key, embedTask(['b'], { delayMs: 3_600_000 }));
    expect(response.status).toBe(409);
    expect((await problemIn(response)).code).toBe('IDEMPOTENCY_MISMATCH');
    expect(await jobs()).toBe(before);
  });

  it('is kept as long as its task, and goes with it', async () => {
    const { redis, keys, queues } = test.mill;
    const key = randomUUID();
    const { id } = await json(await send(key));
    const redisKey = keys.idempotency('anonymous', key);
    expect(await redis.ttl(redisKey)).toBe(-1);
    await test.post(`/v1/tasks/${id}/cancel`, '');
    await redis.zadd(keys.ended('inference'), 1, id);
    await retentionDuty({ redis, keys, queues, highWater: { share: 0.8 }, now: Date.now }).run();
    expect(await redis.exists(redisKey)).toBe(0);
    expect(await redis.hexists(keys.idempotencyOf('inference'), id)).toBe(0);
    expect(await redis.zscore(keys.tasks('inference'), id)).toBeNull();
    expect((await test.get(`/v1/tasks/${id}`)).status).toBe(404);
  });

  it('holds for a day when its task was refused or never came', async () => {
    const { redis, keys } = test.mill;
    const own = await openTestApi(inject('redisUrl'), { MILLRACE_PREFIX: test.prefix, MAX_WAITING: 0 });
    const key = randomUUID();
    expect((await send(key, later, { api: own })).status).toBe(429);
    expect(await redis.ttl(keys.idempotency('anonymous', key))).toBeGreaterThan(86_000);
    await own.api.close();
    expect((await send(key)).status).toBe(202);
  });

  it.each(['', 'with a space', 'x'.repeat(256)])('of the form %j is refused', async (key) => {
    const response = await send(key);
    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({
      code: 'INVALID_REQUEST',
      problems: [{ path: 'idempotency-key' }],
    });
  });

  it("is its caller's own", async () => {
    const entry = (name: string) => ({
      name,
      scope: 'enqueue' as const,
      hash: createHash('sha256').update(name).digest('hex'),
    });
    const own = await openTestApi(inject('redisUrl'), { MILLRACE_API_KEYS: [entry('ann'), entry('ben')] });
    const key = randomUUID();
    const ids = await Promise.all(
      ['ann', 'ben', 'ann'].map(async (name) => {
        const response = await send(key, later, { api: own, headers: { 'x-api-key': name } });
        return (await json(response)).id;
      }),
    );
    expect(ids[0]).toBe(ids[2]);
    expect(ids[0]).not.toBe(ids[1]);
    await own.api.close();
  });
});

describe('The Node client', () => {
  it('gives the same task for the same key', async () => {
    const mill = new Millrace({ redisUrl: test.redisUrl, prefix: test.prefix });
    const options = { delayMs: 3_600_000, idempotencyKey: randomUUID() };
    const tasks = await Promise.all(
      Array.from({ length: 10 }, () => mill.enqueue('inference.embed', { texts: ['a'] }, options)),
    );
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(1);
    const other = mill.enqueue('inference.embed', { texts: ['b'] }, options);
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    await mill.close();
  });
});

describe('A request that was answered 503', () => {
  let redis: PrivateRedis;
  let own: TestApi;
  beforeAll(async () => {
    redis = await startRedis();
    own = await openTestApi(redis.url);
  });
  afterAll(async () => {
    await own.api.close();
    await redis.stop();
  });

  it('is repeated until it is not, and has made one task', async () => {
    await expect.poll(async () => (await own.get('/readyz')).status).toBe(200);
    const key = randomUUID();
    // Redis has the command, but its answer comes too late: nobody knows what became of it.
    process.kill(redis.pid, 'SIGSTOP');
    expect((await send(key, later, { api: own })).status).toBe(503);
    process.kill(redis.pid, 'SIGCONT');
    await expect.poll(async () => (await send(key, later, { api: own })).status, { timeout: 20_000 }).toBe(202);
    expect(await jobs(own)).toBe(1);
  });
});
