import { createHash } from 'node:crypto';
import { beatEveryMs } from '@millrace/shared/redis/workers';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openAiOf, soon } from '../setup/run-files.ts';
import { beatOf } from './beat.ts';
import { embedTask, openTestApi, type TestApi } from './open-test-api.ts';
import { dimensions, openStandInWorker, vectorOf } from './stand-in-worker.ts';

const redisUrl = inject('redisUrl');
const model = 'all-MiniLM-L6-v2';
let test: TestApi;
let worker: { close(): Promise<void> };
let client: OpenAI;
let beating: NodeJS.Timeout;
beforeAll(async () => {
  test = await openTestApi(redisUrl);
  worker = openStandInWorker(test);
  client = openAiOf(test.url);
  const entry = { fingerprint: null, warm: true, pinned: true };
  const startedAt = '2026-01-02T03:04:05.000Z';
  const models = ['org/other', model].map((name) => ({ name, ...entry }));
  const beat = () => test.mill.workers.beat(beatOf({ id: 'a', startedAt, models }), []);
  await beat();
  beating = setInterval(() => void beat(), beatEveryMs);
});
afterAll(async () => {
  clearInterval(beating);
  await worker.close();
  await test.api.close();
});

const bits = (numbers: ArrayLike<number>) => Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
/** What the client throws. */
async function errorOf(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await promise;
  } catch (error) {
    return error as InstanceType<typeof OpenAI.APIError>;
  }
  throw new Error('nothing was thrown');
}

describe("OpenAI's client gets embeddings", () => {
  it('of a text and of many, to the bit those that a task gives', async () => {
    const texts = ['a', 'bb', 'ccc'];
    const many = await client.embeddings.create({ model, input: texts });
    expect(many).toMatchObject({ object: 'list', model, usage: { prompt_tokens: 9, total_tokens: 9 } });
    const task = await (await test.post('/v1/tasks?wait=20', embedTask(texts))).json();
    many.data.forEach(({ index, object, embedding }, position) => {
      expect([index, object, embedding.length]).toEqual([position, 'embedding', dimensions]);
      expect(bits(embedding)).toBe(bits(vectorOf(texts[position] ?? '')));
      expect(bits(embedding)).toBe(bits(task.result.embeddings[position]));
    });
    const one = await client.embeddings.create({ model, input: 'bb' });
    expect(one.data.map(({ embedding }) => bits(embedding))).toEqual([bits(vectorOf('bb'))]);
  });

  it('as numbers or as base64, as it asks', async () => {
    const numbers = await client.embeddings.create({ model, input: 'a', encoding_format: 'float' });
    expect(bits(numbers.data[0]?.embedding ?? [])).toBe(bits(vectorOf('a')));
    const base64 = await client.embeddings.create({ model, input: 'a', encoding_format: 'base64' });
    expect(base64.data[0]?.embedding).toBe(bits(vectorOf('a')));
  });

  it('of two thousand texts in one request', async () => {
    const input = Array.from({ length: 2048 }, (_, index) => 'x'.repeat(1 + (index % 50)));
    const { data } = await client.embeddings.create({ model, input });
    expect(data.map(({ index }) => index)).toEqual(input.map((_, index) => index));
    for (const { embedding, index } of data) expect(embedding[0]).toBe(vectorOf(input[index] ?? '')[0]);
  });

  it('as many dimensions as the model has, and no others', async () => {
    expect((await client.embeddings.create({ model, input: 'a', dimensions })).data).toHaveLength(1);
    const error = await errorOf(client.embeddings.create({ model, input: 'a', dimensions: 100 }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param: 'dimensions', type: 'invalid_request_error' });
    expect(error.message).toContain('gives 384, not 100');
  });
});

describe("OpenAI's client is told what is wrong", () => {
  it.each([
    ['tokens', [1, 2, 3], 'input', /got tokens, expected texts/],
    ['lists of tokens', [[1, 2], [3]], 'input', /got tokens, expected texts/],
    ['an empty text', '', 'input', /not empty/],
    ['an empty text among others', ['a', '  '], 'input[1]', /not empty/],
    ['no text', [], 'input', /at least 1 entry/],
    ['too many texts', Array.from({ length: 2049 }, () => 'a'), 'input', /at most 2048 entries/],
  ])('with %s', async (_what, input, param, message) => {
    const error = await errorOf(client.embeddings.create({ model, input: input as string[] }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, param, type: 'invalid_request_error', code: 'invalid_request' });
    expect(error.message).toMatch(message);
  });

  it('with a field that is none', async () => {
    const body = { model, input: 'a', unheard: 1 };
    const error = await errorOf(client.embeddings.create(body));
    expect(error).toMatchObject({ status: 400, param: 'unheard' });
  });

  it('with a model that no worker has', async () => {
    const error = await errorOf(client.embeddings.create({ model: 'text-embedding-3-small', input: 'a' }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'model_not_found', type: 'invalid_request_error' });
    expect(error.message).toContain('org/other');
  });

  it('with a text that cannot be computed', async () => {
    const error = await errorOf(client.embeddings.create({ model, input: ['a', 'fail'] }));
    expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    expect(error).toMatchObject({ code: 'processor_failed', type: 'server_error' });
    expect(error.message).toContain('the wheel is stuck');
  });

  it('with a body that is not JSON, too large, or of another kind: always in the same form', async () => {
    const form = { error: { message: expect.any(String), type: 'invalid_request_error', param: null } };
    const broken = await test.post('/v1/embeddings', '{');
    expect([broken.status, await broken.json()]).toMatchObject([
      400,
      { error: { ...form.error, code: 'invalid_json' } },
    ]);
    const large = await test.post('/v1/embeddings', { input: 'x'.repeat(17 * 2 ** 20) });
    expect([large.status, await large.json()]).toMatchObject([
      413,
      { error: { ...form.error, code: 'body_too_large' } },
    ]);
    const other = await test.send('POST', '/v1/embeddings', 'a', { 'content-type': 'text/plain' });
    expect([other.status, await other.json()]).toMatchObject([
      415,
      { error: { ...form.error, code: 'unsupported_media_type' } },
    ]);
  });

  it('when the queue is full, and when to come again', async () => {
    const full = await openTestApi(redisUrl, { MAX_WAITING: 1 });
    await full.post('/v1/tasks', embedTask(['a']));
    const response = await full.post('/v1/embeddings', { input: 'a' });
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const error = await errorOf(openAiOf(full.url).embeddings.create({ model, input: 'a' }));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: 'rate_limit_exceeded' });
    await full.api.close();
  });

  it('when no worker lives, after a while and not never; nothing is left waiting', async () => {
    const alone = await openTestApi(redisUrl);
    const error = await errorOf(openAiOf(alone.url).embeddings.create({ model, input: 'a' }));
    expect(error).toMatchObject({ status: 503, code: 'no_worker', type: 'server_error' });
    await soon(async () => (await (await alone.get('/v1/tasks?state=queued')).json()).tasks).toEqual([]);
    await alone.api.close();
  });
});

describe('A request for embeddings whose client leaves', () => {
  it('is cancelled', async () => {
    const idle = await openTestApi(redisUrl);
    const leaving = new AbortController();
    const request = fetch(`${idle.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'a' }),
      signal: leaving.signal,
    });
    const states = async () =>
      (await (await idle.get('/v1/tasks')).json()).tasks.map(({ state }: { state: string }) => state);
    await soon(states).toEqual(['queued']);
    leaving.abort();
    await expect(request).rejects.toThrow();
    await soon(states).toEqual(['cancelled']);
    await idle.api.close();
  });
});

describe("OpenAI's client lists models", () => {
  it('of the workers that live', async () => {
    const created = Date.parse('2026-01-02T03:04:05Z') / 1000;
    const models: OpenAI.Model[] = [];
    for await (const each of client.models.list()) models.push(each);
    expect(models).toEqual([
      { id: model, object: 'model', created, owned_by: 'millrace' },
      { id: 'org/other', object: 'model', created, owned_by: 'millrace' },
    ]);
    expect(await client.models.retrieve('org/other')).toMatchObject({ id: 'org/other' });
    const error = await errorOf(client.models.retrieve('none'));
    expect(error).toMatchObject({ status: 404, code: 'model_not_found' });
  });
});

describe("OpenAI's client with a key", () => {
  it('does what the key reaches, and is told in its own form what it does not', async () => {
    const hash = (key: string) => createHash('sha256').update(key).digest('hex');
    const closed = await openTestApi(redisUrl, {
      MILLRACE_API_KEYS: [{ name: 'reader', scope: 'read', hash: hash('r-key') }],
    });
    const unknown = await errorOf(openAiOf(closed.url, 'other').models.list());
    expect(unknown).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(unknown).toMatchObject({ code: 'invalid_api_key', type: 'invalid_request_error' });
    const reader = openAiOf(closed.url, 'r-key');
    expect((await reader.models.list()).data).toEqual([]);
    expect((await reader.batches.list()).data).toEqual([]);
    for (const act of [
      () => reader.embeddings.create({ model, input: 'a' }),
      () => reader.files.create({ file: new File(['a'], 'a'), purpose: 'batch' }),
      () => reader.files.delete('file-00000000-0000-4000-8000-000000000000'),
      () => reader.batches.cancel('batch_0'),
    ]) {
      const error = await errorOf(act());
      expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
      expect(error).toMatchObject({ code: 'insufficient_permissions' });
    }
    await closed.api.close();
  });
});
