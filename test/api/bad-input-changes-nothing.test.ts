import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  // The promise of this file: whatever was refused left nothing behind.
  for (const queue of test.mill.queues.values()) expect(await queue.getJobCountByTypes()).toBe(0);
  await test.api.close();
});

describe('A task that is not right is refused', () => {
  it('with every problem at once: where, what was there, what should be, what to do', async () => {
    const response = await test.post('/v1/tasks', {
      type: 'inference.embed',
      input: { texts: ['good', '', 7], model: '../../etc', color: 'red' },
      priority: 0,
      delayMs: 'soon',
      retries: 3,
    });
    expect(response.status).toBe(422);
    const problem = await problemIn(response);
    expect(problem).toMatchObject({ status: 422, code: 'INVALID_INPUT', type: '/errors/INVALID_INPUT' });
    expect(problem.problems?.map(({ path }) => path).sort()).toEqual([
      'delayMs',
      'input.color',
      'input.model',
      'input.texts[1]',
      'input.texts[2]',
      'priority',
      'retries',
    ]);
    for (const entry of problem.problems ?? []) {
      expect(Object.values(entry).every((text) => text.length > 0)).toBe(true);
    }
  });

  it.each([
    ['no texts', { texts: [] }, 'input.texts'],
    ['an empty text', { texts: [''] }, 'input.texts[0]'],
    ['a text of white space', { texts: ['a', ' \n'] }, 'input.texts[1]'],
    ['a number for a text', { texts: [1] }, 'input.texts[0]'],
    ['one text in place of a list', { texts: 'a' }, 'input.texts'],
    ['an unknown field', { texts: ['a'], text: 'b' }, 'input.text'],
    ['no input', undefined, 'input'],
    ['null', null, 'input'],
  ])('for its input: %s', async (_name, input, path) => {
    const response = await test.post('/v1/tasks', { type: 'inference.embed', input });
    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path }] });
  });

  it.each([0, -1, 1.5, 2 ** 21, '1', 'urgent', null, []])('for its priority: %j', async (priority) => {
    const response = await test.post('/v1/tasks', embedTask(['a'], { priority }));
    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: 'priority' }] });
  });

  it.each([
    ['delayMs', -1],
    ['expiresInMs', 0],
    ['timeoutMs', 1e12],
    ['attempts', 0],
    ['resultTtlMs', 999],
    ['tags', Array(9).fill('tag')],
    ['backoff', { type: 'linear', delayMs: 1 }],
  ])('for its %s: %j', async (name, value) => {
    const response = await test.post('/v1/tasks', embedTask(['a'], { [name]: value }));
    expect(response.status).toBe(422);
    const [first] = (await problemIn(response)).problems ?? [];
    expect(first?.path.startsWith(name)).toBe(true);
  });

  it('for a type that does not exist, with those that do', async () => {
    const response = await test.post('/v1/tasks', { type: 'inference.embd', input: {} });
    expect(response.status).toBe(422);
    const problem = await problemIn(response);
    expect(problem.code).toBe('UNSUPPORTED_TASK_TYPE');
    expect(problem.detail).toMatch(/inference\.embed, .*text\.clean/);
  });

  it.each([[[]], ['a text'], [null], [42]])('for being no object: %j', async (body) => {
    const response = await test.post('/v1/tasks', JSON.stringify(body));
    expect(response.status).toBe(422);
    expect((await problemIn(response)).code).toBe('INVALID_INPUT');
  });

  it('for its size: 10 MB of text, and more texts than a task may have', async () => {
    const large = await test.post('/v1/tasks', embedTask(['x'.repeat(10_000_000)]));
    expect(large.status).toBe(422);
    expect(await problemIn(large)).toMatchObject({ code: 'INPUT_TOO_LARGE' });
    const many = await test.post('/v1/tasks', embedTask(Array(257).fill('a')));
    expect(many.status).toBe(422);
    expect(await problemIn(many)).toMatchObject({ code: 'INPUT_TOO_LARGE', problems: [{ got: '257 items' }] });
  });

  it('without hurting the API: millions of wrong entries, or of unknown fields', async () => {
    const ones = `{"type":"text.clean","input":{"format":"plain","texts":[${'1,'.repeat(7_000_000)}1]}}`;
    expect((await problemIn(await test.post('/v1/tasks', ones))).code).toBe('INPUT_TOO_LARGE');
    const fields = Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join(',');
    const response = await test.post('/v1/tasks', `{"type":"text.clean","input":{"format":"plain",${fields}}}`);
    expect((await problemIn(response)).problems).toHaveLength(100);
  });
});

describe('A request that is not right is refused', () => {
  it.each(['{"type":', '{"type": inference.embed}', '', '  ', 'type=inference.embed'])(
    'with 400 when it is not JSON: %j',
    async (body) => {
      const response = await test.post('/v1/tasks', body);
      expect(response.status).toBe(400);
      expect(await problemIn(response)).toMatchObject({ status: 400, code: 'INVALID_JSON' });
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/x-ndjson', 'image/png'])(
    'with 415 when it is %s',
    async (type) => {
      const response = await test.post('/v1/tasks', embedTask(['a']), { 'content-type': type });
      expect(response.status).toBe(415);
      const problem = await problemIn(response);
      expect(problem.code).toBe('UNSUPPORTED_MEDIA_TYPE');
      expect(problem.detail).toContain(type);
    },
  );

  it('with 413 when its body is too large, which the client reads though it is still sending', async () => {
    const response = await test.post('/v1/tasks', embedTask(['x'.repeat(40_000_000)]));
    expect(response.status).toBe(413);
    expect(await problemIn(response)).toMatchObject({ code: 'BODY_TOO_LARGE' });
  });

  it.each(['wait=soon', 'wait=-1', 'wait=61', 'wait=1&wait=2', 'wiat=1'])(
    'with 422 for its query ?%s',
    async (query) => {
      const response = await test.post(`/v1/tasks?${query}`, embedTask(['a']));
      expect(response.status).toBe(422);
      const problem = await problemIn(response);
      expect(problem.code).toBe('INVALID_REQUEST');
      expect(problem.problems?.[0]?.path).toMatch(/^query\.w/);
    },
  );

  it('with 404 when there is no such route, method or address', async () => {
    for (const path of ['/v1/nothing', '/v1/tasks/x/y/z', '/v1/tasks/%zz']) {
      const response = await test.get(path);
      expect(response.status).toBe(404);
      expect((await problemIn(response)).code).toBe('ROUTE_NOT_FOUND');
    }
    const response = await fetch(`${test.url}/v1/task-types`, { method: 'DELETE' });
    expect((await problemIn(response)).code).toBe('ROUTE_NOT_FOUND');
  });

  it.each([
    'i-01a20f0c-44ab-7483-9b07-23eeade889c6',
    'x',
    'vector.none',
    'text.{other}:key',
    'i-not-a-uuid',
    `text.${'y'.repeat(300)}`,
  ])('with 404 when there is no task %s', async (id) => {
    for (const path of ['', '?wait=1', '/result']) {
      const response = await test.get(`/v1/tasks/${encodeURIComponent(id)}${path}`);
      expect(response.status).toBe(404);
      expect((await problemIn(response)).code).toBe('TASK_NOT_FOUND');
    }
  });

  it('and every problem leads by its type to what the code means', async () => {
    const { type, code, title, remedy } = await problemIn(await test.get('/v1/nothing'));
    expect(await (await test.get(type)).json()).toMatchObject({ code, title, remedy, status: 404, retryable: false });
  });

  it('and has an id, its own or a new one, in the answer', async () => {
    expect((await test.get('/healthz', { 'x-request-id': 'mine-1' })).headers.get('x-request-id')).toBe('mine-1');
    const odd = await test.get('/v1/nothing', { 'x-request-id': 'no "log" would like this' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
