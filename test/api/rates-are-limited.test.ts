import { createHash } from 'node:crypto';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startRedis } from '../setup/private-redis.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

const redisUrl = inject('redisUrl');
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const entry = (name: string, limit?: number) => ({
  name,
  scope: 'admin' as const,
  hash: hashOf(name),
  ...(limit === undefined ? {} : { limit }),
});

/** The answers of so many requests, one after the other. */
async function statuses(count: number, send: () => Promise<Response>): Promise<number[]> {
  const all: number[] = [];
  for (let index = 0; index < count; index += 1) all.push((await send()).status);
  return all;
}

describe('An API with a limit of three requests a minute', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await openTestApi(redisUrl, {
      RATE_LIMIT: 3,
      MILLRACE_API_KEYS: ['ann', 'ben', 'cid', 'dan', 'eve', 'fay']
        .map((name) => entry(name))
        .concat(entry('own', 5), entry('free', 0)),
    });
  });
  afterAll(async () => {
    await test.api.close();
  });

  it('refuses the fourth of a key, says when to come again, and lets other keys go on', async () => {
    const ask = (key: string) => test.get('/v1/queues', bearer(key));
    expect(await statuses(3, () => ask('ann'))).toEqual([200, 200, 200]);
    const refused = await ask('ann');
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.headers.get('x-ratelimit-limit')).toBe('3');
    const problem = await problemIn(refused);
    expect(problem).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(problem.detail).toBe('The key ann has sent more than 3 requests within a minute.');
    expect((await ask('ben')).status).toBe(200);
  });

  it('refuses before anything is done', async () => {
    await statuses(3, () => test.get('/v1/queues', bearer('cid')));
    expect((await test.post('/v1/tasks', embedTask(['a']), bearer('cid'))).status).toBe(429);
    expect(await test.mill.queues.get('inference')?.getJobCountByTypes()).toBe(0);
  });

  it('answers as OpenAI does on its routes', async () => {
    await statuses(3, () => test.get('/v1/models', bearer('dan')));
    const refused = await test.post('/v1/embeddings', { input: 'a' }, bearer('dan'));
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } });
  });

  it('does not count health, metrics, or who has no key', async () => {
    expect(await statuses(5, () => test.get('/healthz'))).toEqual(Array(5).fill(200));
    expect(await statuses(5, () => test.get('/metrics', bearer('eve')))).toEqual(Array(5).fill(200));
    expect(await statuses(5, () => test.get('/v1/queues'))).toEqual(Array(5).fill(401));
    expect(await statuses(4, () => test.get('/v1/queues', bearer('eve')))).toEqual([200, 200, 200, 429]);
  });

  it('gives a key the limit that stands in its entry, 0 for none', async () => {
    expect(await statuses(6, () => test.get('/v1/queues', bearer('own')))).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await statuses(8, () => test.get('/v1/queues', bearer('free')))).toEqual(Array(8).fill(200));
  });

  it('counts together with the other APIs of the mill, and keeps its counts below the prefix, for a minute', async () => {
    const other = await openTestApi(redisUrl, {
      RATE_LIMIT: 3,
      MILLRACE_PREFIX: test.prefix,
      MILLRACE_API_KEYS: [entry('fay')],
    });
    const both = [test, other, test, other];
    const answers = [];
    for (const api of both) answers.push((await api.get('/v1/queues', bearer('fay'))).status);
    expect(answers).toEqual([200, 200, 200, 429]);
    const key = test.keys.requestCount('key', 'fay');
    expect(key.startsWith(`${test.prefix}:`)).toBe(true);
    expect(await test.mill.redis.pttl(key)).toBeGreaterThan(0);
    await other.api.close();
  });

  it('is in the document of the API', async () => {
    const document = await (await test.get('/openapi.json', bearer('free'))).json();
    expect(document.paths['/v1/queues'].get.responses['429'].description).toBe('RATE_LIMITED');
    expect(document.paths['/healthz'].get.responses['429']).toBeUndefined();
  });
});

describe('A limit where no keys are', () => {
  it('is none unless it is set, and then one of each address', async () => {
    const open = await openTestApi(redisUrl);
    expect((await open.get('/v1/queues')).headers.get('x-ratelimit-limit')).toBeNull();
    await open.api.close();
    const limited = await openTestApi(redisUrl, { RATE_LIMIT: 2 });
    expect(await statuses(3, () => limited.get('/v1/queues'))).toEqual([200, 200, 429]);
    await limited.api.close();
  });
});

describe('While Redis does not count', () => {
  it('requests go on to their own answers, whether it is dead or hangs', async () => {
    const redis = await startRedis();
    const test = await openTestApi(redis.url, { RATE_LIMIT: 2 });
    await test.api.redisChecked;
    process.kill(redis.pid, 'SIGSTOP');
    expect(await statuses(4, () => test.get('/v1/task-types'))).toEqual([200, 200, 200, 200]);
    expect((await problemIn(await test.get('/v1/queues'))).code).toBe('REDIS_UNAVAILABLE');
    process.kill(redis.pid, 'SIGCONT');
    await redis.kill();
    expect(await statuses(4, () => test.get('/v1/task-types'))).toEqual([200, 200, 200, 200]);
    expect((await problemIn(await test.get('/v1/queues'))).code).toBe('REDIS_UNAVAILABLE');
    await test.api.close();
    await redis.stop();
  });
});

describe('A client whose requests are used up', () => {
  it('sends again when the API said, if that is within its time, and else tells it at once', async () => {
    const test = await openTestApi(redisUrl, { RATE_LIMIT: 1, MILLRACE_API_KEYS: [entry('ann')] });
    const count = test.keys.requestCount('key', 'ann');
    const open = (retryMs: number) => new Millrace({ baseUrl: test.url, apiKey: 'ann', retryMs });
    const impatient = open(1000);
    await test.mill.redis.set(count, 1, 'PX', 50_000);
    await expect(impatient.queues()).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
    const patient = open(10_000);
    await test.mill.redis.set(count, 1, 'PX', 700);
    expect((await patient.queues()).length).toBe(3);
    const waiting = open(0);
    await test.mill.redis.set(count, 1, 'PX', 700);
    const task = await waiting.enqueue('inference.embed', { texts: ['a'] }, { waitForRoomMs: 20_000 });
    expect(task.id).toMatch(/^i-/);
    await Promise.all([impatient.close(), patient.close(), waiting.close()]);
    await test.api.close();
  });
});
