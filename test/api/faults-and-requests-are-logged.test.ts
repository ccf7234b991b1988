import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  await test.api.close();
});

const linesOf = (requestId: string) => test.lines.filter((line) => line['requestId'] === requestId);

describe('A request', () => {
  it('is one line with its route, its answer, its time and its task, and nothing that it carried', async () => {
    const secret = 'a text that nobody else should read';
    const headers = { 'x-request-id': 'r-1', authorization: 'Bearer a-key-to-keep' };
    const response = await test.post('/v1/tasks?wait=0', embedTask([secret]), headers);
    const { id } = (await response.json()) as { id: string };
    await expect.poll(() => linesOf('r-1')).toHaveLength(1);
    expect(linesOf('r-1')[0]).toMatchObject({
      event: 'request',
      level: 30,
      method: 'POST',
      route: '/v1/tasks',
      status: 202,
      ms: expect.any(Number),
      taskId: id,
    });
    await test.post('/v1/tasks', `{"type": ${secret}`, { 'x-request-id': 'r-2' });
    await expect.poll(() => linesOf('r-2')).toMatchObject([{ status: 400 }]);
    const all = JSON.stringify(test.lines);
    expect(all).not.toContain(secret);
    expect(all).not.toContain('a-key-to-keep');
  });

  it('that the client leaves is a line, too', async () => {
    const { id } = (await (await test.post('/v1/tasks', embedTask(['a']))).json()) as { id: string };
    const abort = new AbortController();
    const init = { headers: { 'x-request-id': 'r-3' }, signal: abort.signal };
    const gone = fetch(`${test.url}/v1/tasks/${id}?wait=60`, init);
    await expect.poll(() => test.mill.waiting.size).toBe(1);
    abort.abort();
    await expect(gone).rejects.toThrow();
    await expect.poll(() => linesOf('r-3')).toMatchObject([{ status: 499, route: '/v1/tasks/:id', taskId: id }]);
  });

  it('of a machine that asks for health all the time is none', async () => {
    await test.get('/healthz', { 'x-request-id': 'r-4' });
    await test.get('/v1/nothing', { 'x-request-id': 'r-5' });
    await expect.poll(() => linesOf('r-5')).toMatchObject([{ status: 404, route: 'none' }]);
    expect(linesOf('r-4')).toEqual([]);
  });
});

describe('A fault', () => {
  it('is answered with what it was but without its stack, which is in the log', async () => {
    // Somebody else wrote to our keys.
    await test.mill.redis.set(test.keys.bull('vector', 'completed'), 'not a set');
    const response = await test.get('/v1/queues', { 'x-request-id': 'r-6' });
    expect(response.status).toBe(500);
    const problem = await problemIn(response);
    expect(problem.code).toBe('INTERNAL');
    expect(problem.detail).toContain('WRONGTYPE');
    expect(JSON.stringify(problem)).not.toMatch(/\.ts|\.js|node_modules/);
    const failed = linesOf('r-6').find((line) => line['event'] === 'request.failed');
    expect(failed).toMatchObject({ level: 50, err: { stack: expect.stringContaining('WRONGTYPE') } });
  });
});
