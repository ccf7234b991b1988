import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { hostName } from '../../apps/api/src/auth/hosts.ts';
import type { ApiConfig } from '../../apps/api/src/config.ts';
import { openTestApi, type TestApi } from './open-test-api.ts';

const redisUrl = inject('redisUrl');
const key = { name: 'boss', scope: 'admin' as const, hash: createHash('sha256').update('key').digest('hex') };
const bearer = { authorization: 'Bearer key' };

let test: TestApi;
afterEach(async () => {
  await test.api.close();
});
const open = async (config: Partial<ApiConfig> = {}) => {
  test = await openTestApi(redisUrl, config);
};

/** A request with headers that `fetch` would not send. */
async function ask(method: string, path: string, headers: Record<string, string>) {
  const { port } = new URL(test.url);
  const sent = request({ host: '127.0.0.1', port, method, path, headers }).end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  return { status: response.statusCode as number, headers: response.headers as Record<string, string>, text };
}

const rebound = [
  'evil.example',
  'evil.example:3000',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'mill',
  '[::2]:80',
  '10.0.0.1',
];
const ours = ['localhost', 'LOCALHOST:3000', '127.0.0.1', '127.0.0.1:81', '[::1]:3000', 'localhost.'];

describe('An API without keys', () => {
  it('answers to no host name but its own: a page cannot reach it by a name that it makes point here', async () => {
    await open();
    for (const host of rebound) {
      for (const path of ['/v1/queues', '/v1/nothing', '/board', '/', '/metrics']) {
        const { status, text } = await ask('GET', path, { host });
        expect([host, path, status]).toEqual([host, path, 403]);
        expect(JSON.parse(text)).toMatchObject({
          code: 'HOST_NOT_ALLOWED',
          remedy: expect.stringContaining('ALLOWED_HOSTS'),
        });
      }
    }
    for (const host of ours) expect([host, (await ask('GET', '/v1/queues', { host })).status]).toEqual([host, 200]);
  });

  it('tells its health under any', async () => {
    await open();
    expect((await ask('GET', '/healthz', { host: '172.17.0.2:3000' })).status).toBe(200);
    expect((await ask('GET', '/readyz', { host: 'api' })).status).toBe(200);
  });

  it('answers to those that are named in ALLOWED_HOSTS', async () => {
    await open({ ALLOWED_HOSTS: ['mill.example'] });
    expect((await ask('GET', '/v1/queues', { host: 'Mill.Example:8443' })).status).toBe(200);
    expect((await ask('GET', '/v1/queues', { host: 'other.example' })).status).toBe(403);
  });
});

describe('An API with keys', () => {
  it('answers to any name, as in a container', async () => {
    await open({ HOST: '0.0.0.0', MILLRACE_API_KEYS: [key] });
    expect((await ask('GET', '/v1/queues', { host: 'api:3000', ...bearer })).status).toBe(200);
  });

  it('but to those alone that are set, when some are', async () => {
    await open({ HOST: '0.0.0.0', MILLRACE_API_KEYS: [key], ALLOWED_HOSTS: ['mill.example'] });
    expect((await ask('GET', '/v1/queues', { host: 'api:3000', ...bearer })).status).toBe(403);
    expect((await ask('GET', '/v1/queues', { host: 'mill.example', ...bearer })).status).toBe(200);
    expect((await ask('GET', '/v1/queues', { host: '127.0.0.1', ...bearer })).status).toBe(200);
  });
});

describe("Another origin's page", () => {
  const origin = 'https://app.example';
  const preflight = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  };

  it('is told nothing unless it is set (CORS), and may change nothing', async () => {
    await open();
    const asked = await ask('OPTIONS', '/v1/tasks', { host: 'localhost', ...preflight });
    expect(asked.status).toBe(404);
    const read = await ask('GET', '/v1/queues', { host: 'localhost', origin });
    for (const { headers } of [asked, read]) expect(Object.keys(headers).join()).not.toContain('access-control');
    for (const site of [
      { origin },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const { status, text } = await ask('POST', '/v1/queues/text/pause', { host: 'localhost', ...site });
      expect([status, JSON.parse(text).code]).toEqual([403, 'OTHER_SITE']);
    }
    expect(await test.mill.queues.get('text')?.isPaused()).toBe(false);
  });

  it('may use the API when it is, with the key that it sends itself', async () => {
    await open({ CORS_ORIGINS: [origin], MILLRACE_API_KEYS: [key] });
    const asked = await ask('OPTIONS', '/v1/tasks', { host: 'localhost', ...preflight });
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization',
      vary: expect.stringContaining('Origin'),
    });
    const sent = { host: 'localhost', origin, 'sec-fetch-site': 'cross-site' };
    expect((await ask('POST', '/v1/queues/text/resume', { ...sent, ...bearer })).status).toBe(200);
    const refused = await ask('POST', '/v1/queues/text/resume', sent);
    expect(refused.status).toBe(401);
    // The page can read why.
    expect(refused.headers['access-control-allow-origin']).toBe(origin);
    for (const { headers } of [asked, refused]) expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('and no other is, whatever it looks like', async () => {
    await open({ CORS_ORIGINS: [origin], MILLRACE_API_KEYS: [key] });
    for (const other of [
      'https://app.example.evil',
      'http://app.example',
      'https://app.example:444',
      'https://evil-app.example',
      'null',
      '*',
    ]) {
      const { headers } = await ask('OPTIONS', '/v1/tasks', { host: 'localhost', ...preflight, origin: other });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      const sent = await ask('POST', '/v1/queues/text/resume', { host: 'localhost', origin: other, ...bearer });
      expect(JSON.parse(sent.text).code).toBe('OTHER_SITE');
    }
  });
});

describe('The name in a Host header', () => {
  it.each([
    ['a:1', 'a'],
    ['A.B.', 'a.b'],
    ['[::1]:80', '[::1]'],
    ['a', 'a'],
    ['', undefined],
    ['a:b', undefined],
    ['a:1:2', undefined],
    ['[::1', undefined],
  ])('of %j is %j', async (header, name) => {
    await open();
    expect(hostName(header)).toBe(name);
  });
});
