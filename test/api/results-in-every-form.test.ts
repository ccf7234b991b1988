import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { printable } from '../../apps/api/src/result/float32-text.ts';
import { negotiate } from '../../apps/api/src/result/negotiate.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';
import { dimensions, openStandInWorker, vectorOf } from './stand-in-worker.ts';

let test: TestApi;
let worker: { close(): Promise<void> };
const texts = ['a', 'bb', 'a longer text'];
let embedded = '';
let cleaned = '';

beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
  worker = openStandInWorker(test);
  embedded = await finished(embedTask(texts));
  cleaned = await finished({ type: 'text.clean', input: { texts: ['a'], format: 'plain' } });
});
afterAll(async () => {
  await worker.close();
  await test.api.close();
});

async function finished(task: unknown): Promise<string> {
  const response = await test.post('/v1/tasks?wait=20', task);
  const { id } = (await response.json()) as { id: string };
  return id;
}

const resultOf = (id: string, query = '', accept?: string) =>
  test.get(`/v1/tasks/${id}/result${query}`, accept === undefined ? {} : { accept });

describe('The result of a task', () => {
  it('is the output alone, vectors as numbers that are the same float32 when read back', async () => {
    const response = await resultOf(embedded);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { embeddings, ...rest } = (await response.json()) as { embeddings: number[][] };
    expect(rest).toEqual({
      model: 'stand-in',
      fingerprint: 'none',
      dimensions,
      tokens: [3, 3, 3],
      truncated: [false, false, false],
    });
    expect(embeddings.map((row) => Float32Array.from(row))).toEqual(texts.map(vectorOf));
  });

  it('has its vectors as base64 when asked to, alone or inside the task', async () => {
    const rows = texts.map((text) => Buffer.from(vectorOf(text).buffer).toString('base64'));
    expect(await (await resultOf(embedded, '?encoding=base64')).json()).toMatchObject({ embeddings: rows });
    const task = await (await test.get(`/v1/tasks/${embedded}?encoding=base64`)).json();
    expect(task).toMatchObject({ id: embedded, result: { embeddings: rows, model: 'stand-in' } });
  });

  it('is the very bytes of Redis for who asks for octets, with their shape', async () => {
    const response = await resultOf(embedded, '', 'application/octet-stream');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('millrace-shape')).toBe(`${texts.length}x${dimensions}`);
    const numbers = new Float32Array(await response.arrayBuffer());
    expect(texts.map((_, row) => numbers.slice(row * dimensions, (row + 1) * dimensions))).toEqual(texts.map(vectorOf));
  });

  it('without vectors is plain JSON, and not acceptable as octets', async () => {
    expect(await (await resultOf(cleaned)).json()).toEqual({ texts: ['A'] });
    const refused = await resultOf(cleaned, '', 'application/octet-stream');
    expect(refused.status).toBe(406);
    const problem = await problemIn(refused);
    expect(problem.code).toBe('NOT_ACCEPTABLE');
    expect(problem.detail).toMatch(/text\.clean comes as application\/json/);
    expect((await resultOf(embedded, '', 'image/png')).status).toBe(406);
  });

  it('is a conflict before the end, and after an end without one', async () => {
    const later = await test.post('/v1/tasks', embedTask(['a'], { delayMs: 3_600_000 }));
    const { id } = (await later.json()) as { id: string };
    const early = await resultOf(id);
    expect(early.status).toBe(409);
    expect((await problemIn(early)).code).toBe('RESULT_NOT_READY');
    const failed = await resultOf(await finished(embedTask(['fail'])));
    expect(failed.status).toBe(409);
    const problem = await problemIn(failed);
    expect(problem.code).toBe('TASK_NOT_SUCCEEDED');
    expect(problem.detail).toContain('the wheel is stuck');
  });

  it('is gone, not unknown, when its time is over', async () => {
    const id = await finished(embedTask(['a']));
    await test.mill.redis.del(test.keys.result({ family: 'inference', jobId: id }, 1));
    const response = await resultOf(id);
    expect(response.status).toBe(410);
    expect((await problemIn(response)).code).toBe('RESULT_EXPIRED');
    const task = await (await test.get(`/v1/tasks/${id}`)).json();
    expect(task).toMatchObject({ id, state: 'succeeded' });
    expect(task).not.toHaveProperty('result');
  });

  it('refuses an encoding that does not exist', async () => {
    const response = await resultOf(embedded, '?encoding=hex');
    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({
      code: 'INVALID_REQUEST',
      problems: [{ path: 'query.encoding' }],
    });
  });
});

describe('A float32 in JSON', () => {
  it('is the same when it is read back, whatever it is', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(float, (value) => {
        return Math.fround(JSON.parse(JSON.stringify(printable(value)))) === value;
      }),
      { numRuns: 20_000 },
    );
  });

  it('is written in no more digits than it has', () => {
    expect([0.1, -0.05, 1 / 3, 1e-9, 0].map((value) => String(printable(Math.fround(value))))).toEqual([
      '0.1',
      '-0.05',
      '0.33333334',
      '1e-9',
      '0',
    ]);
  });
});

describe('An Accept header', () => {
  const json = 'application/json';
  const bytes = 'application/octet-stream';
  it.each([
    [undefined, json],
    ['', json],
    ['*/*', json],
    ['application/*', json],
    [bytes, bytes],
    [`${json}, ${bytes}`, json],
    [`${json};q=0.5, ${bytes}`, bytes],
    [`${bytes};q=0.2, */*;q=0.1`, bytes],
    [`${json};q=0, */*`, bytes],
    ['Application/JSON; charset=utf-8', json],
    [`text/html, ${bytes};q=0.9, */*;q=0.8`, bytes],
    ['text/html,application/xhtml+xml,*/*;q=0.8', json],
    ['image/png', undefined],
    ['*/*;q=0', undefined],
    ['nonsense', undefined],
  ])('%s chooses %s', (accept, chosen) => {
    expect(negotiate(accept, [json, bytes])).toBe(chosen);
  });
});
