import { readdirSync, readFileSync } from 'node:fs';
import { Millrace } from '@millrace/client';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../scripts/redis/set.mjs';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';
import { tryWholeChannel } from '../setup/whole-channel.ts';

const page = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
/** As an operator would type it. */
const documented = /^ACL SETUSER millrace on >PASSWORD .*$/m.exec(page)?.[0] ?? '';
const allowed = documented.split(' ').flatMap((word) => (word.startsWith('+') ? [word.slice(1)] : []));

const prefix = ownPrefix();
const password = 'p@ss/word:1';
let redis: PrivateRedis;
let redisUrl: string;

beforeAll(async () => {
  redis = await startRedis();
  const command = documented.replace('PASSWORD', password).replaceAll('{millrace}', prefix).split(' ');
  expect(await ask(redis.url, command)).toBe('OK');
  redisUrl = `redis://millrace:${encodeURIComponent(password)}@127.0.0.1:${redis.port}`;
});
afterAll(async () => {
  await stopProcesses();
  await redis.stop();
});

/** What Redis has refused to whom. */
async function denials(): Promise<unknown> {
  return await ask(redis.url, ['ACL', 'LOG']);
}

describe('The user with the least rights, as the page names them', () => {
  it('can do all that a mill does: nothing is denied', async () => {
    const options = { redisUrl, prefix };
    const mill = new Millrace(options);
    const worker = startWorker({ ...options, env: { RESULT_CACHE: '1000000' } });
    const [api] = await Promise.all([startApi(options), worker]);
    await tryWholeChannel({ apiUrl: api.url, mill });
    await mill.close();
    expect(await (await worker).stop()).toBe(0);
    expect(await api.stop()).toBe(0);
    expect(await denials()).toEqual([]);
    const said = JSON.stringify([...api.lines, ...(await worker).lines]);
    expect(said).not.toMatch(/NOPERM/);
    for (const form of [password, encodeURIComponent(password)]) expect(said).not.toContain(form);
  });

  it.each([
    [['SET', 'other', '1']],
    [['GET', '{millrac}:x']],
    [['KEYS', '*']],
    [['FLUSHALL']],
    [['CONFIG', 'GET', '*']],
    [['SUBSCRIBE', 'other']],
  ])('cannot do more: %s', async (command) => {
    await expect(ask(redisUrl, command)).rejects.toThrow(/NOPERM/);
  });

  it('has every command that our scripts name', () => {
    const folder = new URL('../../packages/shared/lua/', import.meta.url);
    const scripts = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'));
    const used = scripts.flatMap((lua) =>
      [...lua.matchAll(/redis\.call\('(\w+)'/g)].map(([, name]) => name?.toLowerCase()),
    );
    expect(used.filter((name) => !allowed.includes(name ?? ''))).toEqual([]);
  });

  it('may not write beside its keys from a script either', async () => {
    const client = new Redis(redisUrl, { retryStrategy: null });
    const script = "return redis.call('SET', 'other', '1')";
    await expect(client.eval(script, 0)).rejects.toThrow(/NOPERM|ACL failure|can't access|permission/i);
    await client.quit();
  });
});
