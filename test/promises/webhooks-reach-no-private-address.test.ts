import { Millrace } from '@millrace/client';
import { isPublicAddress } from '@millrace/shared/tasks/webhook';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { guardedAgents, type Resolve } from '../../apps/api/src/webhooks/guarded-agents.ts';
import { post } from '../../apps/api/src/webhooks/post.ts';
import { openTestApi, problemIn, type TestApi } from '../api/open-test-api.ts';
import { openStandInWorker } from '../api/stand-in-worker.ts';
import { newSecret, openReceiver, status, type WebhookReceiver } from '../setup/webhook-receiver.ts';

const redisUrl = inject('redisUrl');
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await openReceiver();
});
afterAll(() => receiver.close());

/** Ways to write an address of this machine, of its network or of a cloud's metadata; PORT is the receiver's. */
const inwards = [
  'http://127.0.0.1:PORT/',
  'https://127.0.0.1:PORT/',
  'http://127.1.2.3:PORT/',
  'http://[::1]:PORT/',
  'http://[::]:PORT/',
  'http://0.0.0.0:PORT/',
  'http://0:PORT/',
  'http://2130706433:PORT/', // decimal
  'http://0177.0.0.1:PORT/', // octal
  'http://0x7f.0.0.1:PORT/', // hexadecimal
  'http://0x7f000001:PORT/',
  'http://127.1:PORT/',
  'http://１２７.0.0.1:PORT/', // full-width digits
  'http://[::ffff:127.0.0.1]:PORT/', // IPv4-mapped
  'http://[::127.0.0.1]:PORT/', // IPv4-compatible
  'http://[64:ff9b::127.0.0.1]:PORT/', // NAT64
  'http://[2002:7f00:1::]:PORT/', // 6to4
  'http://[fe80::1]:PORT/',
  'http://[fd00::1]:PORT/',
  'http://[ff02::1]:PORT/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://100.100.100.200/', // another cloud's metadata, shared address space
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.0.1/',
  'http://192.0.0.192/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://localhost:PORT/',
  'http://localhost.:PORT/',
  'http://a.localhost:PORT/',
];
/** What is no URL of http without credentials, or too long. */
const malformed = [
  'file:///etc/passwd',
  'gopher://hooks.example.com/',
  'ftp://hooks.example.com/',
  'data:text/plain,a',
  'unix:/var/run/docker.sock',
  'http://user@hooks.example.com/',
  'http://user:password@hooks.example.com/',
  'http://:password@hooks.example.com/',
  'http://hooks.example.com@127.0.0.1:PORT/',
  'hooks.example.com/path',
  '//hooks.example.com/',
  'http://',
  '',
  `http://hooks.example.com/${'a'.repeat(2048)}`,
];
const withPort = (url: string) => url.replace('PORT', String(receiver.port));

const task = (url: unknown) => ({
  type: 'text.clean',
  input: { texts: ['a'], format: 'plain' },
  webhook: { url },
});

async function refusalOf(api: TestApi, url: unknown) {
  const response = await api.post('/v1/tasks', task(url));
  expect(response.status, String(url)).toBe(422);
  return await problemIn(response);
}

describe('A webhook that may go to any public host', () => {
  let api: TestApi;
  let worker: { close(): Promise<void> };
  beforeAll(async () => {
    api = await openTestApi(redisUrl, { WEBHOOK_HOSTS: ['*'], WEBHOOK_SECRET: [newSecret()], WEBHOOK_BACKOFF: 10 });
    worker = openStandInWorker({ redisUrl, prefix: api.prefix });
  });
  afterAll(async () => {
    await worker.close();
    await api.api.close();
  });

  it.each([...inwards, ...malformed])('is refused at %s', async (url) => {
    const { code, problems } = await refusalOf(api, withPort(url));
    expect(code).toBe('INVALID_INPUT');
    expect(problems?.map(({ path }) => path)).toEqual(['webhook.url']);
  });

  it('is refused when it is no URL at all, or has fields that nobody knows', async () => {
    for (const url of [undefined, null, 7, ['http://hooks.example.com/'], {}]) {
      expect((await refusalOf(api, url)).problems?.[0]?.path).toBe('webhook.url');
    }
    const response = await api.post('/v1/tasks', {
      ...task('https://hooks.example.com/'),
      webhook: 'https://a.example/',
    });
    expect((await problemIn(response)).problems?.[0]?.path).toBe('webhook');
  });

  it('is not sent where a bare producer wants it, and the task runs all the same', async () => {
    const queue = api.mill.queues.get('text');
    const { input } = task('');
    const url = `http://127.0.0.1:${receiver.port}/`;
    const job = await queue?.add('text.clean', { v: 1, input, webhook: { url } });
    // As a worker does when it pulls the job.
    await api.mill.redis.hset(api.keys.webhookPending('text'), job?.id ?? '', `${Date.now()} ${url}`);
    await expect.poll(() => api.lines.some(({ event }) => event === 'webhook.refused'), { timeout: 20_000 }).toBe(true);
    expect(await (await api.get(`/v1/tasks/text.${job?.id}`)).json()).toMatchObject({ state: 'succeeded' });
    expect(receiver.received).toEqual([]);
  });
});

describe('The connection of a webhook', () => {
  const names: Record<string, string[]> = {
    'private.example': ['10.1.2.3'],
    'loopback.example': ['127.0.0.1'],
    'mapped.example': ['::ffff:127.0.0.1'],
    'compatible.example': ['::127.0.0.1'],
    'mixed.example': ['93.184.216.34', '127.0.0.1'],
    'nobody.example': [],
  };
  let lookedUp: string[] = [];
  const resolve: Resolve = (name, _options, done) => {
    lookedUp.push(name);
    done(
      null,
      (names[name] ?? ['127.0.0.1']).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  const send = (url: string, privateAddresses: boolean) => {
    lookedUp = [];
    const guard = guardedAgents({ privateAddresses, resolve });
    return post({ url: new URL(url), headers: {}, body: '{}', guard, signal: AbortSignal.timeout(30_000) });
  };

  it.each(Object.keys(names))('is not made to %s, whose addresses are not all public', async (name) => {
    for (const scheme of ['http', 'https']) {
      await expect(send(`${scheme}://${name}:${receiver.port}/`, false)).rejects.toThrow(/address/);
      expect(lookedUp).toEqual([name]);
    }
    expect(receiver.received).toEqual([]);
  });

  it('is not made to the name that the system itself has for this machine', async () => {
    const guard = guardedAgents({ privateAddresses: false });
    const signal = AbortSignal.timeout(30_000);
    const url = new URL(`http://localhost:${receiver.port}/`);
    await expect(post({ url, headers: {}, body: '{}', guard, signal })).rejects.toThrow(/address/);
    expect(receiver.received).toEqual([]);
  });

  it('is made to the very address that was checked: a name is looked up once', async () => {
    expect(await send(`http://rebinding.example:${receiver.port}/`, true)).toBe(204);
    expect(lookedUp).toEqual(['rebinding.example']);
    expect(receiver.received.at(-1)?.headers['host']).toBe(`rebinding.example:${receiver.port}`);
  });

  it('follows no redirect', async () => {
    const target = await openReceiver();
    for (const code of [301, 302, 303, 307, 308]) {
      receiver.answer = status(code, { location: target.url });
      expect(await send(receiver.url, true)).toBe(code);
    }
    expect(target.received).toEqual([]);
    await target.close();
  });

  it('knows public addresses from all others', () => {
    for (const address of ['8.8.8.8', '93.184.216.34', '2606:2800:220:1::1', '2a00:1450:4001:80b::200e']) {
      expect(isPublicAddress(address), address).toBe(true);
    }
    for (const address of ['2001:db8::1', '3fff::1', '2001::1', '192.0.2.1', '240.0.0.1', '100::1', '::', 'name', '']) {
      expect(isPublicAddress(address), address).toBe(false);
    }
  });
});

describe('A webhook that may go to some hosts', () => {
  it('is refused anywhere else', async () => {
    const hosts = ['hooks.example.com', '*.hooks.example.org'];
    const api = await openTestApi(redisUrl, { WEBHOOK_HOSTS: hosts, WEBHOOK_SECRET: [newSecret()] });
    for (const host of ['a.hooks.example.org', 'hooks.example.com', 'HOOKS.example.com', 'hooks.example.com.:8443']) {
      // Held back, so that nothing is ever sent.
      expect((await api.post('/v1/tasks', { ...task(`https://${host}/`), delayMs: 3_600_000 })).status, host).toBe(202);
    }
    const strangers = [
      'example.com',
      'xhooks.example.com',
      'hooks.example.com.evil.example',
      'hooks.example.org',
      '8.8.8.8',
    ];
    for (const host of [...strangers, 'evil.example/?hooks.example.com', 'evil.example#.hooks.example.com']) {
      const { problems } = await refusalOf(api, `https://${host}`);
      expect(problems?.[0], host).toMatchObject({ path: 'webhook.url', expected: 'a host of WEBHOOK_HOSTS' });
    }
    await api.api.close();
  });
});

describe('Webhooks that nobody has turned on', () => {
  it('are refused wherever they can be given, and the refusal names the setting', async () => {
    const api = await openTestApi(redisUrl);
    const problem = await refusalOf(api, 'https://hooks.example.com/');
    expect(problem).toMatchObject({ code: 'WEBHOOKS_OFF', detail: expect.stringContaining('WEBHOOK_HOSTS') });
    const bulk = await api.post('/v1/tasks/bulk', { tasks: [task('https://hooks.example.com/')] });
    expect(await bulk.json()).toMatchObject({ items: [{ status: 422, error: { code: 'WEBHOOKS_OFF' } }] });
    const schedule = { everyMs: 60_000, task: task('https://hooks.example.com/') };
    const put = await api.send('PUT', '/v1/schedules/nightly', schedule);
    expect((await problemIn(put)).problems?.[0]?.path).toBe('task.webhook');
    const mill = new Millrace({ redisUrl, prefix: api.prefix });
    const webhook = { url: 'https://hooks.example.com/' };
    const direct = mill.enqueue('text.clean', { texts: ['a'], format: 'plain' }, { webhook });
    await expect(direct).rejects.toMatchObject({ code: 'WEBHOOKS_OFF' });
    await mill.close();
    expect(await api.mill.redis.keys(`${api.prefix}:webhook*`)).toEqual([]);
    await api.api.close();
  });

  it('need a secret before an API with them starts', async () => {
    await expect(openTestApi(redisUrl, { WEBHOOK_HOSTS: ['*'] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
