import { createHash } from 'node:crypto';
import { Collections } from '@millrace/shared/redis/collections';
import { Points } from '@millrace/shared/redis/points';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startWorker, stopProcesses } from '../setup/processes.ts';
import { beatOf } from './beat.ts';
import { openTestApi, problemIn, type TestApi } from './open-test-api.ts';

const redisUrl = inject('redisUrl');
const settings = { dimensions: 3, metric: 'cosine' };
const fingerprints = ['0123456789abcdef', 'fedcba9876543210'] as const;
let test: TestApi;

beforeAll(async () => {
  test = await openTestApi(redisUrl);
});
afterAll(async () => {
  await test.api.close();
  await stopProcesses();
});

const put = (name: string, body: unknown) => test.send('PUT', `/v1/collections/${name}`, body);
const viewIn = async (response: Response) => (await response.json()) as CollectionView;
const task = (type: string, input: object) => test.post('/v1/tasks', { type, input });

describe('A collection', () => {
  it('is created once, and the same again changes nothing', async () => {
    const first = await put('books', settings);
    expect(first.status).toBe(201);
    const view = await viewIn(first);
    expect(view).toEqual({
      name: 'books',
      ...settings,
      model: null,
      fingerprint: null,
      hnsw: { m: 16, efConstruction: 200, ef: 96 },
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      version: 0,
      points: 0,
      workers: [],
    });
    const again = await put('books', { ...settings, hnsw: { m: 16 } });
    expect([again.status, await viewIn(again)]).toEqual([200, view]);
  });

  it('with other settings is refused, and the answer says what differs, with both values', async () => {
    const response = await put('books', { dimensions: 4, metric: 'l2', hnsw: { ef: 200 }, model: 'other' });
    expect(response.status).toBe(409);
    const { code, detail } = await problemIn(response);
    expect(code).toBe('COLLECTION_DIFFERS');
    expect(detail).toContain('dimensions (3, not 4)');
    expect(detail).toContain('metric ("cosine", not "l2")');
    expect(detail).toContain('model (null, not "other")');
    expect(detail).toContain('"ef":96');
    expect((await viewIn(await test.get('/v1/collections/books'))).dimensions).toBe(3);
  });

  it.each<[string, string, unknown, string[]]>([
    ['a name that is none', '-a', settings, ['name']],
    ['a name with a dot', 'a.b', settings, ['name']],
    ['a name that is too long', 'a'.repeat(65), settings, ['name']],
    ['a name that would leave its key', 'a:meta', settings, ['name']],
    ['no settings', 'a', {}, ['dimensions', 'metric']],
    ['settings of another kind', 'a', [1], ['']],
    ['settings out of bounds', 'a', { dimensions: 4097, metric: 'hamming' }, ['dimensions', 'metric']],
    ['a fraction', 'a', { dimensions: 1.5, metric: 'dot' }, ['dimensions']],
    ['an unknown field', 'a', { ...settings, size: 5 }, ['size']],
    ['an unknown field inside', 'a', { ...settings, hnsw: { m: 2, k: 1 } }, ['hnsw.m', 'hnsw.k']],
    ['a name and settings', '_', { dimensions: 0, metric: 'dot' }, ['name', 'dimensions']],
  ])('of %s is refused, with every problem at once', async (_, name, body, paths) => {
    const response = await put(encodeURIComponent(name), body);
    expect(response.status).toBe(422);
    const { code, problems = [] } = await problemIn(response);
    expect(code).toBe('INVALID_REQUEST');
    expect(problems.map(({ path }) => path)).toEqual(paths);
    expect(problems.every(({ got, expected, remedy }) => got && expected && remedy)).toBe(true);
  });

  it('is refused when the body is no JSON, or none', async () => {
    expect((await put('a', '{')).status).toBe(400);
    expect((await test.send('PUT', '/v1/collections/a')).status).toBe(422);
  });

  it('is listed by name, and described with the copies that workers have of it', async () => {
    await put('albums', { dimensions: 2, metric: 'l2', fingerprint: fingerprints[0] });
    const replica = { collection: 'books', state: 'following', version: 0, lag: 0, points: 0, loaded: 0 } as const;
    const facts = { indexed: 0, toIndex: 0, bytes: 10, ef: 96, recall: null };
    const registry = new WorkerRegistry(test.mill.redis, test.keys);
    await registry.beat(beatOf({ id: 'w1', families: ['vector'], replicas: [{ ...replica, ...facts }] }), []);
    const { collections } = (await (await test.get('/v1/collections')).json()) as { collections: CollectionView[] };
    expect(collections.map(({ name, fingerprint }) => [name, fingerprint])).toEqual([
      ['albums', fingerprints[0]],
      ['books', null],
    ]);
    const { collection: _, ...shown } = replica;
    expect(collections[1]?.workers).toEqual([{ worker: 'w1', ...shown, ...facts }]);
    await registry.remove('w1');
  });

  it('that is not there is a 404, to whoever asks for it', async () => {
    for (const name of ['none', 'a:meta', encodeURIComponent('../x'), '%00']) {
      for (const response of [
        await test.get(`/v1/collections/${name}`),
        await test.send('DELETE', `/v1/collections/${name}`),
        await test.get(`/v1/collections/${name}/points/p`),
      ]) {
        expect([name, response.status]).toEqual([name, 404]);
        expect((await problemIn(response)).code).toBe('COLLECTION_NOT_FOUND');
      }
    }
    const missing = [
      task('vector.upsert', { collection: 'none', points: [{ id: 'p', vector: [1, 0, 0] }] }),
      task('vector.search', { collection: 'none', vectors: [[1, 0, 0]], topK: 1 }),
      task('vector.delete', { collection: 'none', ids: ['p'] }),
      task('vector.documents', { collection: 'none', documents: [{ id: 'd', text: 'a' }] }),
    ];
    for (const response of await Promise.all(missing)) {
      expect(response.status).toBe(404);
      const { code, problems } = await problemIn(response);
      expect([code, problems?.[0]?.path]).toEqual(['COLLECTION_NOT_FOUND', 'input.collection']);
    }
    const bulk = await test.post('/v1/tasks/bulk', {
      tasks: [
        { type: 'vector.delete', input: { collection: 'none', ids: ['p'] } },
        { type: 'vector.delete', input: { collection: 'books', ids: ['p'] } },
      ],
    });
    const { items } = (await bulk.json()) as { items: { status: number }[] };
    expect(items.map(({ status }) => status)).toEqual([404, 202]);
  });

  it('refuses vectors of another length, model or direction before they are enqueued, and says both', async () => {
    const { collection } = (await new Collections(test.mill.redis, test.keys).read('albums')) ?? {};
    if (collection === undefined) throw new Error('no albums');
    const points = new Points(test.mill.redis, test.keys);
    await points.write(collection, [{ id: 'p', vector: Float32Array.of(1, 2), metadata: { a: 1 } }]);
    const point = (vector: unknown) => ({
      points: [
        { id: 'a', vector: [1, 2] },
        { id: 'b', vector },
      ],
    });
    const cases: [object, number, string, RegExp][] = [
      [
        { collection: 'albums', ...point([1, 2, 3]) },
        409,
        'COLLECTION_MISMATCH',
        /points\[1\].vector: got a vector of 3 numbers, expected 2/,
      ],
      [
        { collection: 'albums', ...point([1, 2]), fingerprint: fingerprints[1] },
        409,
        'COLLECTION_MISMATCH',
        /fedcba9876543210, expected 0123456789abcdef/,
      ],
      [
        { collection: 'books', points: [{ id: 'z', vector: [0, 0, 0] }] },
        422,
        'INVALID_INPUT',
        /points\[0\].vector: got a vector of zeros/,
      ],
    ];
    for (const [input, status, code, detail] of cases) {
      const response = await task('vector.upsert', input);
      expect(response.status).toBe(status);
      expect(await problemIn(response)).toMatchObject({ code, detail: expect.stringMatching(detail) });
    }
    const search = { collection: 'albums', vectors: [[1, 2], [1]], topK: 1 };
    expect((await problemIn(await task('vector.search', search))).detail).toContain('input.vectors[1]');
    expect((await viewIn(await test.get('/v1/collections/albums'))).version).toBe(1);
  });

  it.each<[string, string, object, string]>([
    [
      'a number that is infinite as float32',
      'vector.upsert',
      { points: [{ id: 'a', vector: [1, 1e39, 0] }] },
      'input.points[0].vector',
    ],
    [
      'a text for a number',
      'vector.upsert',
      {
        points: [
          { id: 'a', vector: [1, 0, 0] },
          { id: 'b', vector: [1, 'x', 0] },
        ],
      },
      'input.points[1].vector',
    ],
    ['base64 that is none', 'vector.upsert', { points: [{ id: 'a', vector: 'AAAA!' }] }, 'input.points[0].vector'],
    ['neither vector nor text', 'vector.upsert', { points: [{ id: 'a' }] }, 'input.points[0]'],
    [
      'a control character in an id',
      'vector.upsert',
      { points: [{ id: 'a\n', vector: [1, 0, 0] }] },
      'input.points[0].id',
    ],
    [
      'half a character in an id',
      'vector.upsert',
      { points: [{ id: 'a\ud800', vector: [1, 0, 0] }] },
      'input.points[0].id',
    ],
    [
      'a name of an operator in metadata',
      'vector.upsert',
      { points: [{ id: 'a', vector: [1, 0, 0], metadata: { b: { $c: 1 } } }] },
      'input.points[0].metadata.b.$c',
    ],
    [
      'a dot in metadata',
      'vector.upsert',
      { points: [{ id: 'a', vector: [1, 0, 0], metadata: { 'b.c': 1 } }] },
      'input.points[0].metadata.b.c',
    ],
    [
      'too much metadata',
      'vector.upsert',
      { points: [{ id: 'a', vector: [1, 0, 0], metadata: { b: 'x'.repeat(17_000) } }] },
      'input.points[0].metadata',
    ],
    ['both ids and a filter', 'vector.delete', { ids: ['a'], filter: {} }, 'input'],
    [
      'code in a filter',
      'vector.search',
      { vectors: [[1, 0, 0]], topK: 1, filter: { $where: 'x' } },
      'input.filter.$where',
    ],
    ['a pattern in a filter', 'vector.delete', { filter: { a: { $regex: 'x' } } }, 'input.filter.a.$regex'],
    [
      'more points than an answer takes',
      'vector.search',
      { vectors: Array(100).fill([1, 0, 0]), topK: 1000 },
      'input.topK',
    ],
    [
      'an overlap as long as the chunk',
      'vector.documents',
      { documents: [{ id: 'd', text: 'a' }], maxTokens: 16, overlapTokens: 8 },
      'input.overlapTokens',
    ],
  ])('refuses %s with its path', async (_, type, input, path) => {
    const response = await task(type, { collection: 'books', ...input });
    expect(response.status).toBe(422);
    const { problems = [] } = await problemIn(response);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
  });

  it('refuses texts when no worker has its model', async () => {
    await put('foreign', { ...settings, model: 'of-nobody' });
    const registry = new WorkerRegistry(test.mill.redis, test.keys);
    const models = [{ name: 'all-MiniLM-L6-v2', fingerprint: null, warm: false, pinned: false }];
    await registry.beat(beatOf({ id: 'w2', families: ['text', 'inference', 'vector'], models }), []);
    const inputs: [string, object][] = [
      ['vector.upsert', { points: [{ id: 'a', text: 'a' }] }],
      ['vector.search', { texts: ['a'], topK: 1 }],
      ['vector.documents', { documents: [{ id: 'a', text: 'a' }] }],
    ];
    for (const [type, input] of inputs) {
      const response = await task(type, { collection: 'foreign', ...input });
      const { code, detail } = await problemIn(response);
      expect([response.status, code]).toEqual([422, 'MODEL_NOT_AVAILABLE']);
      expect(detail).toContain('"of-nobody"; there are: all-MiniLM-L6-v2');
    }
    expect((await task('vector.search', { collection: 'foreign', vectors: [[1, 0, 0]], topK: 1 })).status).toBe(202);
    expect((await task('vector.search', { collection: 'books', texts: ['a'], topK: 1 })).status).toBe(202);
    await registry.remove('w2');
    await test.send('DELETE', '/v1/collections/foreign');
  });

  it('refuses input that is nested without end as any other', async () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const pathOf = async (input: string) => {
      const response = await test.post('/v1/tasks', `{"type":"vector.upsert","input":${input}}`);
      expect(response.status).toBe(422);
      return (await problemIn(response)).problems?.[0]?.path;
    };
    const point = (levels: number) => `{"id":"a","vector":[1,0,0],"metadata":${nested(levels)}}`;
    expect(await pathOf(`{"collection":"books","points":[${point(20)}]}`)).toBe(
      `input.points[0].metadata${'.a'.repeat(8)}`,
    );
    expect(await pathOf(`{"collection":"books","points":[${point(100_000)}]}`)).toBe('input');
  });
});

describe('Below its address', () => {
  it('points are written, searched, read and deleted', async () => {
    await startWorker({ redisUrl, prefix: test.prefix, env: { FAMILIES: 'vector' } });
    const at = (path: string) => `/v1/collections/albums/${path}`;
    const points = [
      { id: 'near', vector: [1, 1], metadata: { lang: 'en' } },
      { id: 'a/b c', vector: [5, 5] },
    ];
    const written = await test.post(`${at('points')}?wait=20`, { points }, { 'idempotency-key': 'once' });
    expect(await written.json()).toMatchObject({ state: 'succeeded', result: { upserted: 2, version: 2 } });
    const again = await test.post(`${at('points')}?wait=20`, { points }, { 'idempotency-key': 'once' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const found = await test.post(`${at('search')}?wait=20`, { vectors: [[0, 0]], topK: 5, atLeastVersion: 2 });
    const { result } = (await found.json()) as { result: { results: { hits: { id: string }[] }[] } };
    expect(result.results[0]?.hits.map(({ id }) => id)).toEqual(['near', 'p', 'a/b c']);
    const point = await test.get(at(`points/${encodeURIComponent('a/b c')}`));
    expect(await point.json()).toEqual({ id: 'a/b c', version: 2, vector: [5, 5], metadata: null });
    const gone = await test.post(`${at('points/delete')}?wait=20`, { filter: { lang: 'en' } });
    expect(await gone.json()).toMatchObject({ state: 'succeeded', result: { deleted: 1, version: 3 } });
    const missing = await test.get(at('points/near'));
    expect([missing.status, (await problemIn(missing)).code]).toEqual([404, 'POINT_NOT_FOUND']);
    const accepted = await test.post(at('documents'), { documents: [{ id: 'd', text: 'a' }] });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toMatch(/^\/v1\/tasks\/v-/);
  });

  it('another collection than that of the address is refused, and so is what is no object', async () => {
    const other = await test.post('/v1/collections/albums/points/delete', { collection: 'books', ids: ['p'] });
    expect((await problemIn(other)).problems?.[0]?.path).toBe('input.collection');
    const list = await test.post('/v1/collections/albums/search', [1]);
    expect([list.status, (await problemIn(list)).code]).toEqual([422, 'INVALID_INPUT']);
    const none = await test.post('/v1/collections/none/search', { vectors: [[1]], topK: 1 });
    expect([none.status, (await problemIn(none)).code]).toEqual([404, 'COLLECTION_NOT_FOUND']);
  });

  it('a version that there is not yet is refused in the end, with its number', async () => {
    const body = { vectors: [[0, 0]], topK: 1, atLeastVersion: 999 };
    const task = { type: 'vector.search', input: { collection: 'albums', ...body }, attempts: 1 };
    const response = await test.post('/v1/tasks?wait=20', task);
    expect(await response.json()).toMatchObject({
      state: 'failed',
      error: { code: 'VERSION_NOT_REACHED', message: expect.stringContaining('not yet at 999') },
    });
  });

  it('a collection is dropped with all it had, and can be made anew with other settings', async () => {
    const dropped = await test.send('DELETE', '/v1/collections/albums');
    expect([dropped.status, await dropped.json()]).toEqual([200, { name: 'albums', dropped: true }]);
    expect((await test.send('DELETE', '/v1/collections/albums')).status).toBe(404);
    expect(await test.mill.redis.keys(`${test.prefix}:collection:albums:*`)).toEqual([]);
    expect((await put('albums', settings)).status).toBe(201);
    const found = await test.post('/v1/collections/albums/search?wait=20', { vectors: [[1, 0, 0]], topK: 5 });
    const { result } = (await found.json()) as { result: { results: { hits: unknown[] }[] } };
    expect(result.results[0]?.hits).toEqual([]);
  });
});

describe('With keys', () => {
  it('each scope does what it includes: read, write points, make and drop collections', async () => {
    const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
    const keyed = await openTestApi(redisUrl, {
      MILLRACE_API_KEYS: (['read', 'enqueue', 'admin'] as const).map((scope) => ({
        name: scope,
        scope,
        hash: hashOf(scope),
      })),
    });
    const statuses = async (key: string) => {
      const headers = { authorization: `Bearer ${key}` };
      const send = async (method: string, path: string, body?: unknown) =>
        (await keyed.send(method, `/v1/collections${path}`, body, headers)).status;
      return [
        await send('GET', ''),
        await send('POST', '/books/points/delete', { ids: ['p'] }),
        await send('PUT', '/books', settings),
        await send('DELETE', '/none'),
      ];
    };
    expect(await statuses('nobody')).toEqual([401, 401, 401, 401]);
    expect(await statuses('read')).toEqual([200, 403, 403, 403]);
    expect(await statuses('enqueue')).toEqual([200, 404, 403, 403]);
    expect(await statuses('admin')).toEqual([200, 404, 201, 404]);
    await keyed.api.close();
  });
});

describe('The OpenAPI document', () => {
  it('has every route of collections with its schemas', async () => {
    const document = (await (await test.get('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: object }> } }>>;
      components: { schemas: Record<string, { properties: object }> };
    };
    const paths = Object.entries(document.paths).filter(([path]) => path.startsWith('/v1/collections'));
    const routes = paths.flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect(routes.sort()).toEqual([
      'delete /v1/collections/{name}',
      'get /v1/collections',
      'get /v1/collections/{name}',
      'get /v1/collections/{name}/points/{id}',
      'post /v1/collections/{name}/documents',
      'post /v1/collections/{name}/points',
      'post /v1/collections/{name}/points/delete',
      'post /v1/collections/{name}/search',
      'put /v1/collections/{name}',
    ]);
    const body = (path: string, method: string) =>
      document.paths[path]?.[method]?.requestBody?.content['application/json']?.schema;
    expect(body('/v1/collections/{name}', 'put')).toHaveProperty('properties.hnsw.properties.ef.default', 96);
    const search = body('/v1/collections/{name}/search', 'post');
    expect(search).toHaveProperty('properties.filter.type', 'object');
    expect(search).not.toHaveProperty('properties.collection');
    const upsert = body('/v1/collections/{name}/points', 'post');
    expect(upsert).toHaveProperty('properties.points.items.properties.metadata.type', 'object');
    for (const name of ['Collection', 'Point']) expect(document.components.schemas).toHaveProperty(name);
  });
});
