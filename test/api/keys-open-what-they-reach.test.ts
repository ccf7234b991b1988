import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { embedTask, openTestApi, problemIn, type TestApi } from './open-test-api.ts';

const redisUrl = inject('redisUrl');
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`anybody:${key}`).toString('base64')}` });

describe('An API with keys', () => {
  let test: TestApi;
  beforeAll(async () => {
    test = await openTestApi(redisUrl, {
      MILLRACE_API_KEYS: [
        { name: 'reader', scope: 'read', hash: hashOf('r-key') },
        { name: 'producer', scope: 'enqueue', hash: hashOf('e-key') },
        { name: 'boss', scope: 'admin', hash: hashOf('a-key:with-colon') },
        // What `printf %s "$KEY" | sha256sum` gives when KEY is not set.
        { name: 'nobody', scope: 'admin', hash: hashOf('') },
      ],
    });
  });
  afterAll(async () => {
    await test.api.close();
  });

  const task = embedTask(['a']);
  const later = embedTask(['a'], { delayMs: 3_600_000 });
  const reads = ['/v1/queues', '/v1/workers', '/v1/task-types', '/metrics', '/openapi.json', '/docs'];

  it('lets nobody in without one, and says how to bring it', async () => {
    for (const path of [...reads, '/board', '/v1/nothing', '/v1/tasks/x', '/docs/json', '/board/api/queues', '/']) {
      const response = await test.get(path);
      expect([path, response.status]).toEqual([path, 401]);
      expect((await problemIn(response)).code).toBe('UNAUTHORIZED');
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="Millrace"');
    }
    for (const path of ['/v1/tasks', '/v1/tasks/bulk']) expect((await test.post(path, task)).status).toBe(401);
  });

  it('asks a browser for it', async () => {
    const response = await test.get('/docs', { accept: 'text/html,*/*;q=0.8' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="Millrace", charset="UTF-8"');
  });

  it.each([
    ['an unknown one', bearer('x')],
    ['none in it', bearer('')],
    ['an empty one', { 'x-api-key': '' }],
    ['an empty password', basic('')],
    ['a hash for a key', bearer(hashOf('a-key:with-colon'))],
    ['another scheme', { authorization: 'Digest r-key' }],
    ['no colon in Basic', { authorization: `Basic ${Buffer.from('r-key').toString('base64')}` }],
  ])('refuses %s', async (_name, headers) => {
    expect((await test.get('/v1/queues', headers)).status).toBe(401);
  });

  it.each([
    ['Bearer', bearer('r-key')],
    ['X-API-Key', { 'x-api-key': 'r-key' }],
    ['the password of Basic', basic('r-key')],
  ])('takes it as %s', async (_name, headers) => {
    for (const path of reads) expect([path, (await test.get(path, headers)).status]).toEqual([path, 200]);
  });

  it('lets each scope do what it includes and no more', async () => {
    const outcomes = async (headers: Record<string, string>) => [
      (await test.get('/v1/queues', headers)).status,
      (await test.post('/v1/tasks', task, headers)).status,
      (await test.post('/v1/tasks/bulk', { tasks: [task] }, headers)).status,
      (await test.get('/board', headers)).status,
      (await test.get('/board/api/queues', headers)).status,
    ];
    expect(await outcomes(bearer('r-key'))).toEqual([200, 403, 403, 403, 403]);
    expect(await outcomes(bearer('e-key'))).toEqual([200, 202, 200, 403, 403]);
    expect(await outcomes(basic('a-key:with-colon'))).toEqual([200, 202, 200, 200, 200]);
    const { code, detail } = await problemIn(await test.post('/v1/tasks', task, bearer('r-key')));
    expect(code).toBe('FORBIDDEN');
    expect(detail).toBe('The key reader has the scope read; this needs enqueue.');
  });

  it('lets only an admin stop a family or schedule tasks, and who enqueues steer what is enqueued', async () => {
    const { id } = (await (await test.post('/v1/tasks', later, bearer('e-key'))).json()) as { id: string };
    const schedule = { cron: '0 3 * * *', task };
    const outcomes = async (headers: Record<string, string>) => [
      (await test.get('/v1/tasks', headers)).status,
      (await test.get(`/v1/tasks/${id}/explain`, headers)).status,
      (await test.get('/v1/schedules', headers)).status,
      (await test.post(`/v1/tasks/${id}/priority`, { priority: 5 }, headers)).status,
      (await test.post('/v1/tasks/x/cancel', '', headers)).status,
      (await test.post('/v1/tasks/x/retry', '', headers)).status,
      (await test.post('/v1/tasks/retry', { family: 'vector' }, headers)).status,
      (await test.post('/v1/queues/vector/pause', '', headers)).status,
      (await test.post('/v1/queues/vector/resume', '', headers)).status,
      (await test.send('PUT', '/v1/schedules/s', schedule, headers)).status,
      (await test.send('DELETE', '/v1/schedules/s', undefined, headers)).status,
    ];
    expect(await outcomes(bearer('r-key'))).toEqual([200, 200, 200, 403, 403, 403, 403, 403, 403, 403, 403]);
    expect(await outcomes(bearer('e-key'))).toEqual([200, 200, 200, 200, 404, 404, 200, 403, 403, 403, 403]);
    expect(await outcomes(bearer('a-key:with-colon'))).toEqual([200, 200, 200, 200, 404, 404, 200, 200, 200, 200, 200]);
  });

  it('tells its health to anybody', async () => {
    expect((await test.get('/healthz')).status).toBe(200);
    expect((await test.get('/readyz')).status).toBe(200);
  });

  it('says in its document which keys it takes', async () => {
    const document = await (await test.get('/openapi.json', bearer('r-key'))).json();
    expect(document).toMatchObject({
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }, { header: [] }, { basic: [] }],
      paths: { '/healthz': { get: { security: [] } } },
    });
  });
});

describe('An API without keys', () => {
  it.each(['127.0.0.1', '127.0.0.53', 'localhost', '::1'])('is open on %s', async (HOST) => {
    const test = await openTestApi(redisUrl, { HOST });
    expect((await test.get('/v1/queues')).status).toBe(200);
    expect((await test.get('/board')).status).toBe(200);
    expect(test.told).toEqual([]);
    await test.api.close();
  });

  it.each(['0.0.0.0', '::', '192.168.1.2', '127.evil.example', 'mill'])(
    'makes an admin key on %s, tells it once, and knows it ever after',
    async (HOST) => {
      const first = await openTestApi(redisUrl, { HOST });
      await first.api.redisChecked;
      const [line = ''] = first.told;
      const key = /mill_[\w-]{32}/.exec(line)?.[0] ?? '';
      expect(key).not.toBe('');
      expect((await first.get('/v1/queues')).status).toBe(401);
      expect((await first.get('/board', bearer(key))).status).toBe(200);
      // Redis has the hash and not the key.
      expect(await first.mill.redis.get(first.keys.adminKey)).toBe(hashOf(key));
      await first.api.close();
      const second = await openTestApi(redisUrl, { HOST, MILLRACE_PREFIX: first.prefix });
      await second.api.redisChecked;
      expect(second.told).toEqual([]);
      expect((await second.get('/board', bearer(key))).status).toBe(200);
      await second.api.close();
    },
  );

  it('beyond loopback tells only its health until Redis is there, which has the key', async () => {
    const port = await freePort();
    const test = await openTestApi(`redis://127.0.0.1:${port}`, { HOST: '0.0.0.0' });
    expect((await test.get('/healthz')).status).toBe(200);
    for (const path of ['/v1/task-types', '/docs', '/metrics', '/v1/nothing', '/board']) {
      const response = await test.get(path, bearer('any'));
      expect([path, response.status]).toEqual([path, 503]);
      expect((await problemIn(response)).code).toBe('REDIS_UNAVAILABLE');
    }
    const redis: PrivateRedis = await startRedis({ port });
    await test.api.redisChecked;
    expect(test.told).toHaveLength(1);
    expect((await test.get('/v1/task-types', bearer('any'))).status).toBe(401);
    await test.api.close();
    await redis.stop();
  });
});
