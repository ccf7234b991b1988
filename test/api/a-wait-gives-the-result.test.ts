import { once } from 'node:events';
import { request } from 'node:http';
import { parseTaskId } from '@millrace/shared/tasks/ids';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { embedTask, openTestApi, type TestApi } from './open-test-api.ts';
import { openStandInWorker, vectorOf } from './stand-in-worker.ts';

let test: TestApi;
let worker: { close(): Promise<void> };
/** Tasks of this tag wait until the test lets them go on. */
const held = 'held';
let letGo = () => {};
let gate = new Promise<void>((resolve) => {
  letGo = resolve;
});
const closeGate = () => {
  gate = new Promise((resolve) => {
    letGo = resolve;
  });
};

beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
  worker = openStandInWorker({
    ...test,
    until: async (job) => (job.data.tags?.includes(held) ? await gate : undefined),
  });
});
afterAll(async () => {
  letGo();
  await worker.close();
  await test.api.close();
});

interface Task {
  readonly id: string;
  readonly state: string;
  readonly result?: { readonly embeddings: number[][] };
  readonly error?: { readonly code: string; readonly message: string };
}
const json = async (response: Response) => (await response.json()) as Task;

describe('POST /v1/tasks', () => {
  it('answers with the id as soon as Redis has the task, and says where it will be', async () => {
    const response = await test.post('/v1/tasks', embedTask(['a']));
    expect(response.status).toBe(202);
    const { id, ...rest } = await json(response);
    expect(rest).toEqual({ type: 'inference.embed', state: 'queued' });
    expect(response.headers.get('location')).toBe(`/v1/tasks/${id}`);
    expect(parseTaskId(id)).toEqual({ family: 'inference', jobId: id });
  });

  it('says scheduled of a task that is not yet due', async () => {
    const accepted = await json(await test.post('/v1/tasks', embedTask(['a'], { delayMs: 3_600_000 })));
    expect(accepted.state).toBe('scheduled');
    expect((await json(await test.get(`/v1/tasks/${accepted.id}`))).state).toBe('scheduled');
  });

  it('with ?wait= answers with the finished task and its result', async () => {
    const response = await test.post('/v1/tasks?wait=20', embedTask(['hello', 'b']));
    expect(response.status).toBe(200);
    const { state, result } = await json(response);
    expect(state).toBe('succeeded');
    expect(result?.embeddings.map((row) => Float32Array.from(row))).toEqual([vectorOf('hello'), vectorOf('b')]);
  });

  it('with ?wait= answers with the reason when the task fails', async () => {
    const response = await test.post('/v1/tasks?wait=20', embedTask(['fail']));
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({
      state: 'failed',
      error: { code: 'PROCESSOR_FAILED', message: 'the wheel is stuck' },
    });
  });

  it('misses no end, however quick the tasks are', async () => {
    const tasks = Array.from({ length: 300 }, (_, index) =>
      test.post('/v1/tasks?wait=30', embedTask([`quick ${index}`])),
    );
    const statuses = (await Promise.all(tasks)).map(({ status }) => status);
    expect(statuses).toEqual(Array(300).fill(200));
  });

  it('answers 202 with the task as it stands when the wait is over', async () => {
    const response = await test.post('/v1/tasks?wait=0.2', embedTask(['a'], { tags: [held] }));
    expect(response.status).toBe(202);
    const { id, state } = await json(response);
    expect(['queued', 'running']).toContain(state);
    letGo();
    const ended = await test.get(`/v1/tasks/${id}?wait=20`);
    expect(await json(ended)).toMatchObject({ id, state: 'succeeded' });
    closeGate();
  });
});

describe('GET /v1/tasks/{id}', () => {
  it('with ?wait= answers at once for a task that has ended', async () => {
    const { id } = await json(await test.post('/v1/tasks?wait=20', embedTask(['a'])));
    expect(await json(await test.get(`/v1/tasks/${id}?wait=60`))).toMatchObject({ id, state: 'succeeded' });
  });

  it('leaves the result out when asked to', async () => {
    const { id } = await json(await test.post('/v1/tasks?wait=20', embedTask(['a'])));
    expect(await json(await test.get(`/v1/tasks/${id}`))).toHaveProperty('result');
    expect(await json(await test.get(`/v1/tasks/${id}?result=false`))).not.toHaveProperty('result');
  });
});

describe('Those who wait', () => {
  it('are forgotten when they leave', async () => {
    const { id } = await json(await test.post('/v1/tasks', embedTask(['a'], { tags: [held] })));
    const abort = new AbortController();
    const gone = fetch(`${test.url}/v1/tasks/${id}?wait=60`, { signal: abort.signal });
    await expect.poll(() => test.mill.waiting.size).toBe(1);
    abort.abort();
    await expect(gone).rejects.toThrow();
    await expect.poll(() => test.mill.waiting.size).toBe(0);
    letGo();
    closeGate();
  });

  it('may be two thousand', async () => {
    const { id } = await json(await test.post('/v1/tasks', embedTask(['a'], { tags: [held] })));
    const statuses = Array.from({ length: 2000 }, async () => {
      const waiting = request(`${test.url}/v1/tasks/${id}?wait=60&result=false`, { agent: false }).end();
      const [response] = await once(waiting, 'response');
      response.resume();
      return response.statusCode as number;
    });
    await expect.poll(() => test.mill.waiting.size, { timeout: 20_000 }).toBe(2000);
    expect((await test.get('/v1/queues')).status).toBe(200);
    letGo();
    expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]));
    expect(test.mill.waiting.size).toBe(0);
    closeGate();
  });
});
