import { createServer, type Server } from 'node:net';
import { Millrace } from '@millrace/client';
import { silentLogger } from '@millrace/shared/logger';
import { checkRedis } from '@millrace/shared/redis/check-redis';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ask } from '../../scripts/redis/set.mjs';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';

const prefix = ownPrefix();
const running: { stop(): Promise<void> }[] = [];
afterEach(stopProcesses);
afterAll(() => Promise.all(running.map((server) => server.stop())));

async function redisWith(...args: string[]): Promise<PrivateRedis> {
  const redis = await startRedis({ args });
  running.push(redis);
  return redis;
}

/** What a start says: the message of its refusal, or the events that it warned of. */
async function startAt(redisUrl: string): Promise<string[]> {
  const warned: string[] = [];
  const log = silentLogger();
  log.warn = ({ event }: { event: string }) => void warned.push(event);
  const redis = connectRedis({ url: redisUrl, role: 'worker', name: 'test', log });
  try {
    await checkRedis(redis, log);
    return warned;
  } finally {
    redis.disconnect();
    await disconnectRedis(redis);
  }
}

/** A server of any version that cannot be installed here: it says of itself what it is told to. */
async function standIn(info: string): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('data', (bytes) => {
      for (const [, name] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        if (name?.toLowerCase() === 'info') socket.write(`$${info.length}\r\n${info}\r\n`);
        else if (name?.toLowerCase() === 'hello') socket.write("-ERR unknown command 'HELLO'\r\n");
        else socket.write('+OK\r\n');
      }
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push({ stop: () => new Promise((resolve) => server.close(() => resolve())) });
  const { port } = server.address() as { port: number };
  return `redis://127.0.0.1:${port}`;
}

describe('A start at a Redis that will not do', () => {
  it('ends API and worker in one sentence when it would evict, with the remedy', async () => {
    const { url: redisUrl } = await redisWith('--maxmemory-policy', 'allkeys-lru');
    const sentence = /allkeys-lru.*redis-cli CONFIG SET maxmemory-policy noeviction/;
    await expect(startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } })).rejects.toThrow(sentence);
    // An API listens before Redis has answered, since Redis may come up later.
    const api = await startApi({ redisUrl, prefix });
    await api.exited;
    expect(api.lines.find(({ event }) => event === 'api.failed')?.msg).toMatch(sentence);
  });

  it.each(['3.2.12', '4.0.14'])('is refused at version %s', async (version) => {
    const url = await standIn(`redis_version:${version}\r\nredis_mode:standalone\r\nrole:master\r\n`);
    await expect(startAt(url)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `Redis ${version} is too old: install 5.0 or newer, best 7.2 or newer.`,
    });
  });

  it('is refused at a node of a cluster and at a Sentinel, with the address to write', async () => {
    const { url, port } = await redisWith('--cluster-enabled', 'yes');
    await expect(startAt(url)).rejects.toThrow(`set REDIS_URL to redis+cluster://127.0.0.1:${port}`);
    const sentinel = await standIn('redis_version:7.0.15\r\nredis_mode:sentinel\r\n');
    await expect(startAt(sentinel)).rejects.toThrow(/is a Sentinel: set REDIS_URL to redis\+sentinel:\/\/.*\/NAME/);
  });

  it('is refused with a wrong password, which is in no message', async () => {
    const { port, url } = await redisWith();
    await ask(url, ['CONFIG', 'SET', 'requirepass', 'right']);
    const refused = startAt(`redis://:hunter2@127.0.0.1:${port}`);
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/WRONGPASS/),
    });
    await expect(refused).rejects.toThrow(/^(?!.*hunter2)/);
  });
});

describe('A start at a Redis that may lose something', () => {
  it('warns when it has no append-only file', async () => {
    const { url } = await redisWith('--appendonly', 'no');
    expect(await startAt(url)).toEqual(['redis.no-aof']);
  });

  it('says nothing of one that keeps all', async () => {
    const { url } = await redisWith();
    expect(await startAt(url)).toEqual([]);
  });

  it('warns, and works, where INFO and CONFIG are forbidden', async () => {
    const redis = await redisWith();
    await ask(redis.url, ['ACL', 'SETUSER', 'blind', 'on', '>pw', '~*', '&*', '+@all', '-info', '-config']);
    const redisUrl = `redis://blind:pw@127.0.0.1:${redis.port}`;
    expect(await startAt(redisUrl)).toEqual(['redis.unseen']);
    const mill = new Millrace({ redisUrl, prefix });
    const api = await startApi({ redisUrl, prefix });
    await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } });
    const task = await mill.enqueue('text.clean', { texts: ['<i>a</i>'], format: 'html' });
    expect(await task.result({ timeoutMs: 20_000 })).toMatchObject({ texts: ['a'] });
    expect((await fetch(`${api.url}/metrics`)).status).toBe(200);
    await mill.close();
  });
});
