import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { ownPrefix } from '../setup/mill.ts';
import { startRedis } from '../setup/private-redis.ts';
import { startApi, stopProcesses } from '../setup/processes.ts';
import { embedTask } from './open-test-api.ts';

const redisUrl = inject('redisUrl');
const main = fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url));
afterEach(stopProcesses);

const json = { 'content-type': 'application/json' };
const post = (url: string, body: unknown, query = '') =>
  fetch(`${url}/v1/tasks${query}`, { method: 'POST', headers: json, body: JSON.stringify(body) });

describe('An API starts', () => {
  it('before Redis is up, and works by itself once it is', async () => {
    const port = await freePort();
    const api = await startApi({ redisUrl: `redis://127.0.0.1:${port}`, prefix: ownPrefix() });
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    expect((await post(api.url, embedTask(['a']))).status).toBe(503);
    const redis = await startRedis({ port });
    await vi.waitUntil(async () => (await fetch(`${api.url}/readyz`)).status === 200, { timeout: 10_000 });
    expect((await post(api.url, embedTask(['a']))).status).toBe(202);
    expect(await api.stop()).toBe(0);
    await redis.stop();
  });

  it('and ends again when Redis may throw tasks away, saying what to do', async () => {
    const redis = await startRedis({ args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] });
    const port = await freePort();
    const api = await startApi({ redisUrl: redis.url, prefix: ownPrefix(), env: { PORT: String(port) } });
    const { code, level, msg } = await api.logged('api.failed');
    expect({ code, level }).toEqual({ code: 'REDIS_EVICTS', level: 60 });
    expect(msg).toMatch(/allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
    expect(await api.stop()).toBe(1);
    await redis.stop();
  });

  it('not on a port that is taken, and says how to choose another', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const start = startApi({ redisUrl, prefix: ownPrefix(), env: { PORT: String(port) } });
    await expect(start).rejects.toThrow(new RegExp(`ended with 1.*Port ${port} is taken.*PORT=3001`, 's'));
    other.close();
  });

  it('not with settings that are wrong, and names all of them without showing a key', async () => {
    const env = { PORT: 'http', REDIS_URL: 'localhost', MILLRACE_API_KEYS: 'my-secret-key' };
    const start = startApi({ redisUrl, prefix: ownPrefix(), env });
    await expect(start).rejects.toThrow(/ended with 1.*PORT.*REDIS_URL.*MILLRACE_API_KEYS|REDIS_URL.*PORT/s);
    await expect(start).rejects.not.toThrow(/my-secret-key/);
  });
});

describe('An API stops', () => {
  it('with an answer for those who wait, though connections are kept alive', async () => {
    const api = await startApi({ redisUrl, prefix: ownPrefix() });
    const agent = new Agent({ keepAlive: true });
    // An idle connection that nobody closes.
    const idle = request(`${api.url}/healthz`, { agent }).end();
    const [first] = await once(idle, 'response');
    first.resume();
    const waiting = post(api.url, embedTask(['a']), '?wait=60');
    await vi.waitUntil(async () => {
      const text = await (await fetch(`${api.url}/metrics`)).text();
      return text.includes('millrace_waiters 1');
    });
    const stopped = api.stop();
    const response = await waiting;
    expect(response.status).toBe(202);
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.json()).toMatchObject({ state: 'queued' });
    expect(await stopped).toBe(0);
    expect(api.lines.map(({ event }) => event)).toContain('api.stopped');
    agent.destroy();
  });

  it('in time, though a client never finishes its request', async () => {
    const api = await startApi({ redisUrl, prefix: ownPrefix(), env: { SHUTDOWN_GRACE: '300' } });
    const endless = request(`${api.url}/v1/tasks/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    endless.on('error', () => {});
    endless.write('{"type":\n');
    await vi.waitUntil(async () => {
      const text = await (await fetch(`${api.url}/metrics`)).text();
      return text.includes('millrace_tasks_refused_total{code="INVALID_JSON"} 1');
    });
    expect(await api.stop()).toBe(0);
    endless.destroy();
  });

  it('at once on a second signal', async () => {
    const api = await startApi({ redisUrl, prefix: ownPrefix(), env: { SHUTDOWN_GRACE: '60000' } });
    const endless = request(`${api.url}/v1/tasks/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    endless.on('error', () => {});
    endless.write('{"type":\n');
    await vi.waitUntil(async () => {
      const text = await (await fetch(`${api.url}/metrics`)).text();
      return text.includes('millrace_tasks_refused_total{code="INVALID_JSON"} 1');
    });
    const stopped = api.stop('SIGINT');
    await api.logged('api.stopping');
    process.kill(api.pid, 'SIGTERM');
    expect(await stopped).toBe(1);
  });

  it('while Redis is away', async () => {
    const redis = await startRedis();
    const api = await startApi({ redisUrl: redis.url, prefix: ownPrefix() });
    await post(api.url, embedTask(['a']), '?wait=0.1');
    await redis.stop('SIGKILL');
    expect(await api.stop()).toBe(0);
    expect(api.lines.filter(({ event }) => event === 'close.failed')).toEqual([]);
  });

  it('when whoever started it is gone', async () => {
    const env = {
      PATH: process.env['PATH'],
      REDIS_URL: redisUrl,
      MILLRACE_PREFIX: ownPrefix(),
      PORT: String(await freePort()),
    };
    const child = fork(main, { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    await once(child.stdout ?? child, 'data');
    const exited = once(child, 'exit');
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });
});
