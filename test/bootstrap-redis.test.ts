import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aptPermission } from '../scripts/redis/apt.mjs';
import { askRedis } from '../scripts/redis/ask.mjs';
import { findRedisBinary } from '../scripts/redis/find-binary.mjs';
import { freePort } from '../scripts/redis/free-port.mjs';
import { checkGivenRedis, maskedUrl } from '../scripts/redis/given-redis.mjs';
import { binaryOnPath } from '../scripts/redis/on-path.mjs';
import { openPrivateRedis } from '../scripts/redis/private-redis.mjs';
import { decodeReply } from '../scripts/redis/resp.mjs';
import { writeJson } from '../scripts/setup/json-file.mjs';
import { startTimeOf } from '../scripts/setup/process-identity.mjs';
import { type PrivateRedis, startRedis, testRedisBinary } from './setup/private-redis.ts';

const signal = new AbortController().signal;
const said: string[] = [];
const terminal = { step: (text: string) => said.push(text), say: (text: string) => said.push(text) };
let folder: string;
let binary: string;

beforeAll(async () => {
  binary = await testRedisBinary();
});
beforeEach(() => {
  said.length = 0;
  folder = mkdtempSync(join(tmpdir(), 'millrace-redis-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the search for a Redis server', () => {
  const bin = (name: string) => join(folder, name);
  /** Folders on PATH, each with the given programs: true = the real server, a text = a script. */
  const options = (...folders: Record<string, true | string>[]) => {
    const path = folders.map((programs, i) => {
      mkdirSync(bin(String(i)));
      for (const [name, program] of Object.entries(programs)) {
        const at = join(bin(String(i)), name);
        if (program === true) symlinkSync(binary, at);
        else writeFileSync(at, program, { mode: 0o755 });
      }
      return bin(String(i));
    });
    return { home: join(folder, 'home'), env: { PATH: path.join(delimiter) }, terminal, signal };
  };

  it('takes redis-server before valkey-server, wherever on PATH', async () => {
    const both = options({ 'valkey-server': true }, { 'redis-server': true });
    expect(await findRedisBinary(both)).toBe(bin('1/redis-server'));
  });

  it('takes valkey-server when there is no other', async () => {
    expect(await findRedisBinary(options({ 'valkey-server': true }))).toBe(bin('0/valkey-server'));
  });

  it('passes over one that does not run, and one that is too old', async () => {
    const broken = '#!/bin/sh\nexit 1\n';
    const old = '#!/bin/sh\necho "Redis server v=5.0.7 sha=0"\n';
    const found = await findRedisBinary(
      options({ 'redis-server': broken }, { 'redis-server': old, 'valkey-server': true }),
    );
    expect(found).toBe(bin('1/valkey-server'));
    expect(said).toEqual([expect.stringContaining('does not run'), expect.stringContaining('is 5.0.7')]);
  });

  it('asks its sources in order and stops at the first', async () => {
    const asked: string[] = [];
    const source = (name: string, path?: string) => async () => {
      asked.push(name);
      return path;
    };
    const sources = [source('a'), source('b', '/b'), source('c', '/c')];
    expect(await findRedisBinary(options({}), sources)).toBe('/b');
    expect(asked).toEqual(['a', 'b']);
  });

  it('ends with the commands to type', async () => {
    const nothing = findRedisBinary(options({}), [binaryOnPath]);
    await expect(nothing).rejects.toThrow(/apt-get install -y redis-server.*brew install redis.*docker run/s);
  });

  it.each([
    ['not root', { uid: 1000, env: { CI: 'true' } }, 'no'],
    ['no apt-get', { hasApt: false, env: { CI: 'true' } }, 'no'],
    ['a terminal', { isTerminal: true }, 'ask'],
    ['a terminal in CI', { isTerminal: true, env: { CI: 'true' } }, 'ask'],
    ['no terminal', {}, 'no'],
    ['CI without a terminal', { env: { CI: 'true' } }, 'yes'],
    ['CI=false', { env: { CI: 'false' } }, 'no'],
    ['MILLRACE_INSTALL_REDIS=1', { env: { MILLRACE_INSTALL_REDIS: '1' } }, 'yes'],
  ] as const)('may use apt-get with %s: %s', (_, machine, permission) => {
    expect(aptPermission({ uid: 0, hasApt: true, isTerminal: false, env: {}, ...machine })).toBe(permission);
  });
});

describe('a Redis given by REDIS_URL', () => {
  const password = 'p ä@"ss\r\n';
  let redis: PrivateRedis;
  const withUser = (user: string, secret: string) =>
    redis.url.replace('//', `//${user}:${encodeURIComponent(secret)}@`);
  const admin = () => withUser('', password);
  beforeAll(async () => {
    redis = await startRedis();
    await askRedis(redis.url, [
      ['ACL', 'SETUSER', 'hosted', 'on', '>pw', '~*', '+@all', '-config', '-info'],
      ['CONFIG', 'SET', 'requirepass', password],
    ]);
  });
  afterAll(() => redis.stop());

  it('is taken when it answers and evicts nothing', async () => {
    await checkGivenRedis(admin(), terminal);
    expect(said).toEqual([]);
  });

  it('is refused without its password, which is never shown', async () => {
    await expect(checkGivenRedis(redis.url, terminal)).rejects.toThrow(/^No usable Redis at .*NOAUTH/);
    const wrong = checkGivenRedis(withUser('', 'secret'), terminal);
    await expect(wrong).rejects.toThrow(/WRONGPASS/);
    await expect(wrong).rejects.not.toThrow(/secret/);
    expect(maskedUrl(admin())).toBe(redis.url.replace('//', '//:***@'));
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('is refused with maxmemory-policy %s, and the command', async (policy) => {
    await askRedis(admin(), [['CONFIG', 'SET', 'maxmemory-policy', policy]]);
    await expect(checkGivenRedis(admin(), terminal)).rejects.toThrow(
      new RegExp(
        `maxmemory-policy ${policy} .*\`redis-cli -u "\\$REDIS_URL" CONFIG SET maxmemory-policy noeviction\`\\.$`,
      ),
    );
    await askRedis(admin(), [['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']]);
  });

  it('is taken with a warning when it hides its policy', async () => {
    await checkGivenRedis(withUser('hosted', 'pw'), terminal);
    expect(said).toEqual([expect.stringContaining('does not tell its maxmemory-policy')]);
  });

  it('is refused when nothing listens there', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    await expect(checkGivenRedis(url, terminal)).rejects.toThrow(/^No usable Redis at .*ECONNREFUSED.*unset REDIS_URL/);
  });

  it('is refused when it is frozen', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    try {
      await expect(askRedis(admin(), [['PING']], { timeoutMs: 100 })).rejects.toThrow('no answer within 0.1 s');
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });

  it.each(['localhost:6379', 'http://h', 'redis://', ''])(
    'is refused when %j is no address of a Redis',
    async (url) => {
      await expect(checkGivenRedis(url, terminal)).rejects.toThrow(/^REDIS_URL is not an address/);
    },
  );
});

describe('the private Redis of a data folder', () => {
  const open = (home: string) => openPrivateRedis({ home, findBinary: async () => binary, signal });

  it('keeps its data over a stop, in a folder with a space in its name', async () => {
    const home = join(folder, 'a home');
    const first = await open(home);
    await askRedis(first.url, [['SET', 'k', 'v']]);
    await first.stop();
    const second = await open(home);
    expect(
      await askRedis(second.url, [
        ['GET', 'k'],
        ['CONFIG', 'GET', 'appendfsync'],
        ['CONFIG', 'GET', 'save'],
      ]),
    ).toEqual(['v', ['appendfsync', 'everysec'], ['save', '']]);
    await second.stop();
    await second.stop();
    expect(startTimeOf(second.pid)).toBeUndefined();
  });

  it('is adopted while it runs, and not searched for', async () => {
    const first = await open(folder);
    const notSearched = () => Promise.reject(new Error('searched'));
    const second = await openPrivateRedis({ home: folder, findBinary: notSearched, signal });
    expect([second.pid, second.adopted]).toEqual([first.pid, true]);
    await second.stop();
    await first.stop();
  });

  it('stays with the server that wrote its data, for an older one could not read it', async () => {
    const writer = join(folder, 'the-writer');
    symlinkSync(binary, writer);
    const first = await openPrivateRedis({ home: folder, findBinary: async () => writer, signal });
    await first.stop();
    const second = await openPrivateRedis({
      home: folder,
      findBinary: () => Promise.reject(new Error('searched')),
      signal,
    });
    await second.stop();

    rmSync(writer);
    const [base] = readdirSync(join(folder, 'redis/appendonlydir')).filter((name) => name.endsWith('.rdb'));
    writeFileSync(join(folder, 'redis/appendonlydir', String(base)), 'REDIS9999');
    await expect(open(folder)).rejects.toThrow(/cannot read the tasks in .*, which .*the-writer [\d.]+ wrote; install/);
    expect(existsSync(join(folder, 'redis/appendonlydir', String(base)))).toBe(true);
  });

  it('is not another server that got the recorded pid', async () => {
    const other = await startRedis();
    writeJson(join(folder, 'redis.json'), {
      pid: other.pid,
      port: other.port,
      url: other.url,
      startTime: startTimeOf(other.pid),
    });
    const mine = await open(folder);
    expect([mine.adopted, mine.pid === other.pid]).toEqual([false, false]);
    await mine.stop();
    expect(startTimeOf(other.pid)).toBeDefined();
    await other.stop();
  });

  it('tells when it ends unasked', async () => {
    const redis = await open(folder);
    process.kill(redis.pid, 'SIGKILL');
    await redis.ended;
    const next = await open(folder);
    expect(next.adopted).toBe(false);
    await next.stop();
  });
});

describe('what Redis sends', () => {
  const bytes = Buffer.from('*4\r\n+OK\r\n:7\r\n$4\r\nä\r\n\r\n*1\r\n$-1\r\n');

  it('is read whole', () => {
    expect(decodeReply(bytes)).toEqual({ reply: ['OK', 7, 'ä\r\n', [null]], next: bytes.length });
  });

  it('is waited for while any byte is missing', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeReply(bytes.subarray(0, length))).toBeUndefined();
    }
  });
});
