import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'), { MAX_WAITING: 3 });
});
afterAll(() => test.api.close());

const clean = { type: 'text.clean', input: { texts: ['a'], format: 'plain' } };

describe('An API whose queue is full', () => {
  it('answers 429 QUEUE_FULL and when to come again, and counts it', async () => {
    const statuses = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => (await test.post('/v1/tasks', embedTask(['a']))).status),
    );
    expect(statuses.sort()).toEqual([202, 202, 202, 429, 429]);
    const response = await test.post('/v1/tasks?wait=30', embedTask(['a']));
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await problemIn(response)).toMatchObject({ code: 'QUEUE_FULL', status: 429 });
    expect(await (await test.get('/metrics')).text()).toMatch(/millrace_tasks_refused_total\{code="QUEUE_FULL"\} 3/);
  });

  it('answers for each task of many, and takes those of a family that has room', async () => {
    const tasks = [embedTask(['a']), clean, clean, clean, clean];
    const answer = await test.post('/v1/tasks/bulk', { tasks });
    expect(answer.status).toBe(200);
    const { items } = (await answer.json()) as { items: { status: number; error?: { code: string } }[] };
    expect(items.map(({ status, error }) => error?.code ?? status)).toEqual([
      'QUEUE_FULL',
      202,
      202,
      202,
      'QUEUE_FULL',
    ]);
  });
});
