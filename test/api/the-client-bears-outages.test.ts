import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startApi, stopProcesses } from '../setup/processes.ts';
import { openTestApi, type TestApi } from './open-test-api.ts';
import { openStandInWorker } from './stand-in-worker.ts';

const redisUrl = inject('redisUrl');
const clean = (text: string) => ({ texts: [text], format: 'plain' as const });
const hour = 3_600_000;

let test: TestApi;
beforeAll(async () => {
  test = await openTestApi(redisUrl);
});
afterAll(async () => {
  await test.api.close();
  await stopProcesses();
});

/** A `fetch` that loses the answers to the first requests that match; the API has done what they asked. */
function losing(count: number, matches: (path: string) => boolean): typeof fetch {
  let left = count;
  return async (input, init) => {
    const response = await fetch(input, init);
    if (left === 0 || !matches(new URL(String(input)).pathname)) return response;
    left -= 1;
    await response.arrayBuffer();
    throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
  };
}

function clientThatLoses(count: number, matches: (path: string) => boolean): Millrace {
  return new Millrace({ baseUrl: test.url, fetch: losing(count, matches) });
}

async function tagged(tag: string) {
  return (await test.mill.lister.list({ tag }, { limit: 200 })).tasks;
}

describe('An answer that is lost', () => {
  it('does not make a second task of one that was enqueued', async () => {
    const mill = clientThatLoses(2, (path) => path === '/v1/tasks');
    const tag = randomUUID();
    const task = await mill.enqueue('text.clean', clean('a'), { tags: [tag], delayMs: hour });
    expect(await tagged(tag)).toMatchObject([{ id: task.id }]);
    await mill.close();
  });

  it('does not make second tasks of many', async () => {
    const mill = clientThatLoses(2, (path) => path === '/v1/tasks/bulk');
    const tag = randomUUID();
    const inputs = Array.from({ length: 50 }, (_, index) => clean(`${index}`));
    const tasks = await mill.enqueueMany('text.clean', inputs, { tags: [tag], delayMs: hour });
    expect((await tagged(tag)).map(({ id }) => id).sort()).toEqual(tasks.map(({ id }) => id).sort());
    await mill.close();
  });

  it('does not make a change seem to have failed', async () => {
    const mill = clientThatLoses(
      4,
      (path) => path.endsWith('/cancel') || path.endsWith('/retry') || /books$/.test(path),
    );
    const task = await mill.enqueue('text.clean', clean('a'), { delayMs: hour });
    expect(await task.cancel()).toMatchObject({ id: task.id, state: 'cancelled' });
    expect(await task.retry()).toMatchObject({ id: task.id, state: 'queued' });
    await mill.createCollection('lost-books', { dimensions: 4, metric: 'dot' });
    await mill.dropCollection('lost-books');
    expect(await mill.collections()).toEqual([]);
    await expect(mill.dropCollection('lost-books')).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
    await mill.close();
  });

  it('leaves it unknown whether a task was accepted, when nobody is to ask again', async () => {
    const fetch = losing(1, () => true);
    const mill = new Millrace({ baseUrl: test.url, retryMs: 0, fetch });
    const options = { delayMs: hour, idempotencyKey: randomUUID(), tags: [randomUUID()] };
    const first = mill.enqueue('text.clean', clean('a'), options);
    await expect(first).rejects.toMatchObject({
      code: 'API_UNAVAILABLE',
      message: expect.stringContaining('ECONNRESET'),
    });
    const again = await mill.enqueue('text.clean', clean('a'), options);
    expect(await tagged(options.tags[0] ?? '')).toMatchObject([{ id: again.id }]);
    await mill.close();
  });
});

describe('Keys in a bulk request', () => {
  it('are those of their caller, and must be texts', async () => {
    const key = randomUUID();
    const task = { type: 'text.clean', input: clean('a'), delayMs: hour };
    const tasks = [{ ...task, idempotencyKey: key }, { ...task, idempotencyKey: key }, task];
    const send = async (some: unknown[]) => await (await test.post('/v1/tasks/bulk', { tasks: some })).json();
    const first = await send(tasks);
    const ids = first.items.map(({ id }: { id: string }) => id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
    const second = await send([
      { ...task, idempotencyKey: key },
      { ...task, delayMs: hour + 1, idempotencyKey: key },
      { ...task, idempotencyKey: 5 },
      { ...task, idempotencyKey: 'with a space' },
    ]);
    expect(second).toMatchObject({ accepted: 1, refused: 3 });
    expect(second.items).toMatchObject([
      { id: ids[0] },
      { status: 409, error: { code: 'IDEMPOTENCY_MISMATCH' } },
      { status: 422, error: { code: 'INVALID_REQUEST', problems: [{ path: 'idempotencyKey', got: '5' }] } },
      { status: 422, error: { code: 'INVALID_REQUEST' } },
    ]);
    // A single task with that key is the same.
    expect((await (await test.post('/v1/tasks', task, { 'idempotency-key': key })).json()).id).toBe(ids[0]);
  });
});

describe('While the API is away', () => {
  it('requests are sent again until it is there, for as long as told', async () => {
    const port = await freePort();
    const prefix = ownPrefix();
    const address = { baseUrl: `http://127.0.0.1:${port}` };
    const impatient = new Millrace({ ...address, retryMs: 0 });
    const away = { code: 'API_UNAVAILABLE', retryable: true, message: expect.stringContaining('ECONNREFUSED') };
    await expect(impatient.queues()).rejects.toMatchObject(away);
    const mill = new Millrace({ ...address, retryMs: 60_000 });
    const enqueuing = mill.enqueue('text.clean', clean('a'));
    const worker = openStandInWorker({ redisUrl, prefix });
    let api = await startApi({ redisUrl, prefix, env: { PORT: String(port) } });
    const first = await enqueuing;
    expect(await first.result()).toEqual({ texts: ['A'] });
    // Waits and follows go on over a restart, with and without notice.
    const later = await mill.enqueue('text.clean', clean('b'), { delayMs: hour });
    const states: string[] = [];
    const following = (async () => {
      for await (const event of later.follow()) if (event.kind === 'state') states.push(event.state);
    })();
    const waiting = expect(later.result()).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => states).toEqual(['scheduled']);
    await api.stop();
    api = await startApi({ redisUrl, prefix, env: { PORT: String(port) } });
    await mill.get(first.id);
    await api.stop('SIGKILL');
    api = await startApi({ redisUrl, prefix, env: { PORT: String(port) } });
    await later.cancel();
    await Promise.all([waiting, following]);
    expect(states).toEqual(['scheduled', 'cancelled']);
    await Promise.all([impatient.close(), mill.close(), worker.close(), api.stop()]);
  });

  it('a call can be ended at any time', async () => {
    const silent = await listen(() => {});
    const mill = new Millrace({ baseUrl: urlOf(silent) });
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const calls = [
      mill.enqueue('text.clean', clean('a'), options),
      mill.embed(['a'], options),
      mill.get('t-00000000-0000-7000-8000-000000000001', options),
      mill.result('t-00000000-0000-7000-8000-000000000001', options),
      mill.follow('t-00000000-0000-7000-8000-000000000001', options).next(),
      mill.queues(options),
    ];
    const ended = Promise.all(calls.map((call) => expect(call).rejects.toThrow('enough')));
    await once(silent, 'request');
    abort.abort(new Error('enough'));
    await ended;
    await mill.close();
    silent.closeAllConnections();
    silent.close();
  });
});

describe('While Redis is away', () => {
  let redis: PrivateRedis;
  let own: TestApi;
  beforeAll(async () => {
    redis = await startRedis();
    own = await openTestApi(redis.url);
  });
  afterAll(async () => {
    await own.api.close();
    await redis.stop();
  });

  it('the API says so, and the task is enqueued once when it is back', async () => {
    await expect.poll(async () => (await own.get('/readyz')).status).toBe(200);
    const impatient = new Millrace({ baseUrl: own.url, retryMs: 0 });
    const mill = new Millrace({ baseUrl: own.url, retryMs: 60_000 });
    process.kill(redis.pid, 'SIGSTOP');
    await expect(impatient.enqueue('text.clean', clean('a'))).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      retryAfterMs: 1000,
    });
    const tag = randomUUID();
    const one = mill.enqueue('text.clean', clean('a'), { tags: [tag] });
    const many = mill.enqueueMany('text.clean', [clean('b'), clean('c')], { tags: [tag] });
    process.kill(redis.pid, 'SIGCONT');
    const ids = [(await one).id, ...(await many).map(({ id }) => id)];
    const { tasks } = await own.mill.lister.list({ tag }, { limit: 200 });
    expect(tasks.map(({ id }) => id).sort()).toEqual(ids.sort());
    await Promise.all([impatient.close(), mill.close()]);
  });
});

describe('A client by HTTP', () => {
  it('waits for more tasks than it has connections, each in its turn', async () => {
    const mill = new Millrace({ baseUrl: test.url });
    let mostConnections = 0;
    let connections = 0;
    test.api.app.server.on('connection', (socket) => {
      connections += 1;
      mostConnections = Math.max(mostConnections, connections);
      socket.once('close', () => {
        connections -= 1;
      });
    });
    const inputs = Array.from({ length: 600 }, (_, index) => clean(`text ${index}`));
    const tasks = await mill.enqueueMany('text.clean', inputs);
    const waiting = Promise.all(tasks.map((task) => task.result()));
    await expect.poll(() => test.mill.waiting.size).toBeGreaterThan(100);
    expect(await tasks[599]?.read()).toMatchObject({ state: 'queued' });
    const late = tasks[599]?.result({ timeoutMs: 30 });
    await expect(late).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    const worker = openStandInWorker({ redisUrl, prefix: test.prefix });
    const outputs = await waiting;
    expect(outputs.map(({ texts }) => texts[0])).toEqual(inputs.map((_, index) => `TEXT ${index}`));
    // 128 that wait and 64 that do not, and some more that were given up: their end is on its way to the server.
    expect(mostConnections).toBeLessThan(300);
    await worker.close();
    await mill.close();
  });

  it('comes with its key, and is told when that does not reach', async () => {
    const hash = createHash('sha256').update('secret').digest('hex');
    const own = await openTestApi(redisUrl, { MILLRACE_API_KEYS: [{ name: 'ann', scope: 'read', hash }] });
    const [without, wrong, reader] = [undefined, 'guess', 'secret'].map(
      (apiKey) => new Millrace({ baseUrl: own.url, ...(apiKey === undefined ? {} : { apiKey }) }),
    );
    await expect(without?.queues()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(wrong?.queues()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await reader?.queues()).toHaveLength(3);
    await expect(reader?.enqueue('text.clean', clean('a'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(reader?.map('text.clean', [clean('a'), clean('b')]).next()).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await Promise.all([own.api.close(), without?.close(), wrong?.close(), reader?.close()]);
  });

  it('says when the address is not that of an API', async () => {
    const page = await listen((_request, response) => {
      response.writeHead(response.req.url === '/v1/queues' ? 200 : 404, { 'content-type': 'text/html' }).end('<h1>Hi');
    });
    const proxy = await listen((_request, response) => response.writeHead(502).end('bad gateway'));
    const site = new Millrace({ baseUrl: urlOf(page) });
    const message = expect.stringContaining('must be the address of a Millrace API');
    for (const call of [() => site.queues(), () => site.workers()]) {
      await expect(call()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
    }
    const behind = new Millrace({ baseUrl: urlOf(proxy), retryMs: 0 });
    await expect(behind.queues()).rejects.toMatchObject({ code: 'API_UNAVAILABLE' });
    await Promise.all([site.close(), behind.close()]);
    for (const server of [page, proxy]) {
      server.closeAllConnections();
      server.close();
    }
  });
});

async function listen(handle: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(handle as never).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
