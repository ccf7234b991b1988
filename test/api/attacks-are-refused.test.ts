import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(inject('redisUrl'));
});
afterAll(async () => {
  // Nothing that was refused left anything behind, and the process is as it was.
  for (const queue of test.mill.queues.values()) expect(await queue.getJobCountByTypes()).toBe(0);
  expect(Object.keys(Object.prototype)).toEqual([]);
  await test.api.close();
});

const outOfPlace = [
  '../models',
  'a/../../b',
  '/etc/passwd',
  '..',
  'org/..',
  '..\\windows',
  'a/b/c',
  '.git',
  'a\u0000b',
  '',
  '%2e%2e/x',
  'http://169.254.169.254/latest',
  'https://evil.example/model',
  'file:///etc/passwd',
  '//evil.example/a',
];
const noNames = ['../x', '__proto__', 'a:b', '{other}', 'a/b', '.', 'a\nb', 'a'.repeat(65), ' '];

describe('A path in the place of a name is refused', () => {
  it.each(outOfPlace)('of a model: %j', async (model) => {
    const task = await test.post('/v1/tasks', { type: 'inference.embed', input: { texts: ['a'], model } });
    expect([task.status, (await problemIn(task)).code]).toEqual([422, 'INVALID_INPUT']);
    const embeddings = await test.post('/v1/embeddings', { input: 'a', model });
    expect(embeddings.status).toBeGreaterThanOrEqual(400);
    expect(embeddings.status).toBeLessThan(500);
    const settings = { dimensions: 4, metric: 'cosine', model };
    expect((await test.send('PUT', '/v1/collections/c', settings)).status).toBe(422);
  });

  it.each(noNames)('of a collection: %j', async (name) => {
    const input = { collection: name, vectors: [[1, 0]], topK: 1 };
    const search = await test.post('/v1/tasks', { type: 'vector.search', input });
    expect([search.status, (await problemIn(search)).code]).toEqual([422, 'INVALID_INPUT']);
    const path = `/v1/collections/${encodeURIComponent(name)}`;
    const put = await test.send('PUT', path, { dimensions: 4, metric: 'cosine' });
    expect(put.status).toBeGreaterThanOrEqual(400);
    expect(put.status).toBeLessThan(500);
    expect((await test.get(path)).status).toBeGreaterThanOrEqual(400);
    expect(await test.mill.collections.list()).toEqual([]);
  });
});

describe('Names that mean something to JavaScript', () => {
  const polluting = '{"polluted": true}';

  it.each([
    ['of a task', `{"type":"inference.embed","input":{"texts":["a"]},"__proto__":${polluting}}`],
    ['of an input', `{"type":"inference.embed","input":{"texts":["a"],"__proto__":${polluting}}}`],
    [
      'of an input (constructor)',
      `{"type":"inference.embed","input":{"texts":["a"],"constructor":{"prototype":${polluting}}}}`,
    ],
    ['of an object in it', `{"type":"text.chunk","input":{"texts":["a"],"maxTokens":{"__proto__":${polluting}}}}`],
    [
      'of metadata',
      `{"type":"vector.upsert","input":{"collection":"c","points":[{"id":"1","vector":[1],"metadata":{"__proto__":${polluting}}}]}}`,
    ],
    [
      'of a filter',
      `{"type":"vector.search","input":{"collection":"c","vectors":[[1]],"topK":1,"filter":{"__proto__.polluted":{"$set":true}}}}`,
    ],
    ['of a type', '{"type":"__proto__","input":{}}'],
    ['of a type (constructor)', '{"type":"constructor","input":{}}'],
  ])('are refused %s', async (_name, body) => {
    const response = await test.post('/v1/tasks', body);
    expect(response.status).toBe(422);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('JSON that is made to hurt', () => {
  const nested = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);
  const places: [string, (value: string) => string][] = [
    ['a text', (value) => `{"type":"inference.embed","input":{"texts":[${value}]}}`],
    [
      'metadata',
      (value) =>
        `{"type":"vector.upsert","input":{"collection":"c","points":[{"id":"1","vector":[1],"metadata":{"a":${value}}}]}}`,
    ],
    [
      'a filter',
      (value) =>
        `{"type":"vector.search","input":{"collection":"c","vectors":[[1]],"topK":1,"filter":{"$and":${value}}}}`,
    ],
    [
      'options of a pipeline',
      (value) =>
        `{"type":"inference.pipeline","input":{"pipeline":"fill-mask","model":"m","inputs":["a"],"options":{"a":${value}}}}`,
    ],
    ['the whole', (value) => value],
  ];

  it.each(places)('is refused when it is deep: %s', async (_name, place) => {
    for (const levels of [20, 1000, 4000, 20_000, 1_000_000]) {
      for (const value of [nested('[', ']', levels), `${'{"$and":['.repeat(levels)}{}${']}'.repeat(levels)}`]) {
        const response = await test.post('/v1/tasks', place(value));
        expect([levels, response.status]).toEqual([
          levels,
          expect.toSatisfy((status) => status >= 400 && status < 500),
        ]);
      }
    }
  });

  it('is refused when it has numbers that are none, or lone halves of characters for a name', async () => {
    for (const body of [
      '{"type":"inference.embed","input":{"texts":["a"]},"priority":1e999}',
      '{"type":"\\ud800","input":{}}',
    ]) {
      expect((await test.post('/v1/tasks', body)).status).toBe(422);
    }
  });
});

describe('Lines and headers cannot be forged', () => {
  const forged = 'x\r\nset-cookie: a=b\r\n{"level":60,"msg":"forged"}';

  it('by ids, tags, types or models: a log line is JSON', async () => {
    await test.post('/v1/tasks', { type: forged, input: {} });
    await test.post('/v1/tasks', embedTask(['a'], { tags: [forged, 7] }));
    await test.post('/v1/tasks', { type: 'inference.embed', input: { texts: ['a'], model: forged } });
    const listed = await test.get(`/v1/tasks?tag=${encodeURIComponent(forged)}`);
    const missing = await test.get(`/v1/tasks/${encodeURIComponent(forged)}`);
    for (const response of [listed, missing]) expect(response.headers.get('set-cookie')).toBeNull();
    await expect.poll(() => test.lines.filter(({ event }) => event === 'request').length).toBeGreaterThanOrEqual(5);
    expect(test.lines.filter((line) => line['msg'] === 'forged')).toEqual([]);
    // Of what was sent only the id of an address is in it, as the text that it is.
    const carrying = test.lines.filter((line) => JSON.stringify(line).includes('forged'));
    expect(carrying.map((line) => line['taskId'])).toEqual([forged]);
  });

  it('by a request id: one that a log could not bear is not taken over', async () => {
    for (const id of ['a b', '{"level":60}', 'x'.repeat(129), 'a;b']) {
      const response = await test.get('/v1/nothing', { 'x-request-id': id });
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it.each([
    [
      'two lengths of one body',
      'POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a line end in a header', 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\nb\r\n\r\n'],
    ['headers without end', `GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('by raw bytes: %s', async (_name, bytes) => {
    expect(await rawStatus(bytes)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

describe('A body that never comes', () => {
  it('holds up nobody else', async () => {
    const { hostname, port } = new URL(test.url);
    const head =
      'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"type":';
    const slow = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        socket.write(head);
        return socket;
      }),
    );
    expect((await test.get('/readyz')).status).toBe(200);
    expect((await test.post('/v1/tasks', { type: 'no.such' })).status).toBe(422);
    for (const socket of slow) socket.destroy();
  });
});

/** The first line of the answer to what no HTTP client would send. */
async function rawStatus(bytes: string): Promise<string> {
  const { hostname, port } = new URL(test.url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  // It may hang up while more is still being sent.
  socket.on('error', () => {});
  socket.end(bytes);
  await once(socket, 'close');
  return answer.slice(0, answer.indexOf('\r\n'));
}
