import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import { retentionDuty } from '@millrace/shared/sweep/retention';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { webhookDuty, webhookScanDuty } from '../../apps/api/src/webhooks/webhook-duties.ts';
import { openTestApi } from '../api/open-test-api.ts';
import { openStandInWorker } from '../api/stand-in-worker.ts';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';
import { newSecret, ok, openReceiver, type WebhookReceiver } from '../setup/webhook-receiver.ts';

const sharedRedis = inject('redisUrl');
const policy = { hosts: ['127.0.0.1'], privateAddresses: true };
const secret = newSecret();
let receiver: WebhookReceiver;
let redisUrl: string;
let prefix: string;
let mill: Mill;
let pending: PendingWebhooks;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  receiver = await openReceiver();
  await open(sharedRedis);
});
afterEach(async () => {
  await stopProcesses();
  for (const close of closers.splice(0).reverse()) await close();
  await mill.close();
  await receiver.close();
});

/** A mill that no API runs for: one with webhooks has been there before, and is away. */
async function open(url: string): Promise<void> {
  redisUrl = url;
  prefix = ownPrefix();
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });
  pending = new PendingWebhooks(mill.redis, mill.keys);
  await pending.publishPolicy(policy);
}

/** The API comes back. */
async function apiComes(): Promise<void> {
  const api = await openTestApi(redisUrl, {
    WEBHOOK_HOSTS: policy.hosts,
    WEBHOOK_PRIVATE_ADDRESSES: '1',
    WEBHOOK_SECRET: [secret],
    MILLRACE_PREFIX: prefix,
  });
  closers.push(() => api.api.close());
}

function startStandIn(): void {
  const worker = openStandInWorker({ redisUrl, prefix });
  closers.push(() => worker.close());
}

async function enqueue(texts: string[], options: Record<string, unknown> = {}): Promise<string> {
  const task = { type: 'text.clean', input: { texts, format: 'plain' }, webhook: { url: receiver.url }, ...options };
  const prepared = mill.enqueuer.prepare(task);
  await mill.enqueuer.add(prepared);
  return prepared.id;
}

async function ended(texts: string[], options?: Record<string, unknown>): Promise<string> {
  const id = await enqueue(texts, options);
  expect(await waitForEnd(mill, id, 20_000)).toBe(true);
  return id;
}

const processEnv = {
  WEBHOOK_HOSTS: policy.hosts.join(','),
  WEBHOOK_PRIVATE_ADDRESSES: '1',
  WEBHOOK_SECRET: secret,
  WEBHOOK_BACKOFF: '50',
};

describe('A webhook is sent', () => {
  it('although API and worker were killed before and after the task ended', async () => {
    const options = { redisUrl, prefix, env: processEnv };
    const first = await startApi(options);
    const body = { type: 'text.clean', input: { texts: ['a'], format: 'plain' }, webhook: { url: receiver.url } };
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${first.url}/v1/tasks`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { id } = (await answer.json()) as { id: string };
    await first.stop('SIGKILL');
    const worker = await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } });
    expect(await waitForEnd(mill, id, 20_000)).toBe(true);
    await worker.stop('SIGKILL');
    expect(receiver.received).toEqual([]);
    await startApi(options);
    const [one] = await receiver.about(id);
    expect(one?.event.type).toBe('task.succeeded');
    expect(new Webhook(secret).verify(one?.body ?? '', one?.headers ?? {})).toEqual(one?.event);
  });

  it('again by another API when one is killed while it sends', async () => {
    const options = { redisUrl, prefix, env: { ...processEnv, WEBHOOK_TIMEOUT: '60000' } };
    receiver.answer = () => {};
    const first = await startApi(options);
    startStandIn();
    const id = await enqueue(['a']);
    await receiver.about(id);
    await first.stop('SIGKILL');
    receiver.answer = ok;
    await startApi(options);
    const [one, another] = await receiver.about(id, 2);
    expect(another?.id).toBe(one?.id);
    expect(another?.body).toBe(one?.body);
  });

  it('at once by another API when one stops in order', async () => {
    const options = { redisUrl, prefix, env: { ...processEnv, WEBHOOK_TIMEOUT: '60000', WEBHOOK_TRIES: '1' } };
    receiver.answer = () => {};
    const first = await startApi(options);
    startStandIn();
    const id = await enqueue(['a']);
    await receiver.about(id);
    expect(await first.stop()).toBe(0);
    expect(receiver.received).toHaveLength(1);
    expect(first.lines.filter(({ event }) => event === 'close.failed')).toEqual([]);
    receiver.answer = ok;
    await startApi(options);
    const [one, another] = await receiver.about(id, 2);
    expect(another?.id).toBe(one?.id);
  });

  it('when the task was removed before anybody came to it', async () => {
    startStandIn();
    const id = await ended(['a'], { tags: ['kept'] });
    const later = () => Date.now() + 40 * 24 * 3_600_000;
    const { redis, keys, queues } = mill;
    expect(await retentionDuty({ redis, keys, queues, highWater: { share: 0.8 }, now: later }).run()).toBe(1);
    await expect(mill.reader.view(id)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await apiComes();
    const [one] = await receiver.about(id);
    expect(one?.event).toMatchObject({ type: 'task.succeeded', data: { id, tags: ['kept'] } });
  });

  it('when the events that told of the end are gone', async () => {
    startStandIn();
    const id = await ended(['a']);
    await mill.redis.del(mill.keys.bull('text', 'events'));
    await apiComes();
    expect((await receiver.about(id))[0]?.event.type).toBe('task.succeeded');
  });

  it('for each end when the task was tried again before anybody heard of the first', async () => {
    startStandIn();
    const id = await ended(['fail'], { attempts: 1 });
    await mill.retrying.retry(id);
    expect(await waitForEnd(mill, id, 20_000)).toBe(true);
    await apiComes();
    const both = await receiver.about(id, 2);
    expect(new Set(both.map((one) => one.id)).size).toBe(2);
  });

  it('of jobs that a bare producer added, also of those that the worker refuses', async () => {
    await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } });
    const queue = mill.queues.get('text');
    const webhook = { url: receiver.url };
    const good = await queue?.add('text.clean', { v: 1, input: { texts: ['a'], format: 'plain' }, webhook });
    const bad = await queue?.add('text.clean', { v: 1, input: { texts: 7 }, webhook });
    await apiComes();
    expect((await receiver.about(`text.${good?.id}`))[0]?.event.type).toBe('task.succeeded');
    const [failed] = await receiver.about(`text.${bad?.id}`);
    expect(failed?.event).toMatchObject({ type: 'task.failed', data: { error: { code: 'INVALID_INPUT' } } });
  });
});

describe('A Redis that comes and goes', () => {
  it('takes webhooks up again, and does not hold up an API that stops meanwhile', async () => {
    const redis = await startRedis();
    closers.push(() => redis.stop());
    await mill.close();
    await open(redis.url);
    await redis.kill();
    const options = { redisUrl: redis.url, prefix, env: processEnv };
    const early = await startApi(options);
    await redis.restart();
    startStandIn();
    // The mill's connections come back a little later than Redis.
    const add = () => enqueue(['a']).catch(() => undefined);
    await expect.poll(add, { timeout: 20_000 }).toBeDefined();
    await expect.poll(() => receiver.received.length, { timeout: 40_000 }).toBeGreaterThan(0);
    const count = receiver.received.length;
    await redis.kill();
    await redis.restart();
    await expect.poll(add, { timeout: 20_000 }).toBeDefined();
    await expect.poll(() => receiver.received.length, { timeout: 40_000 }).toBeGreaterThan(count);
    await redis.kill();
    expect(await early.stop()).toBe(0);
    expect(early.lines.filter(({ event, part }) => event === 'close.failed' && part === 'webhooks')).toEqual([]);
    await redis.restart();
  });
});

describe('A Redis at its memory limit', () => {
  let full: PrivateRedis;
  afterEach(() => full.stop());

  it('lets webhooks of what has ended go out, and tasks be removed', async () => {
    full = await startRedis();
    await mill.close();
    await open(full.url);
    startStandIn();
    const told = await Promise.all(Array.from({ length: 20 }, (_, index) => ended([`text ${index}`])));
    const removed = await ended(['removed']);
    const { redis, keys, queues } = mill;
    await redis.set('filler', Buffer.alloc(8 * 2 ** 20));
    await redis.config('SET', 'maxmemory', '4mb');
    await expect(redis.set('more', 'x')).rejects.toThrow('OOM');
    await redis.zadd(keys.ended('text'), 'XX', 1, removed).catch(() => {});
    const later = () => Date.now() + 40 * 24 * 3_600_000;
    await retentionDuty({ redis, keys, queues, highWater: { share: 0.8 }, now: later }).run();
    await expect(mill.reader.view(removed)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await apiComes();
    for (const id of [...told, removed]) {
      expect((await receiver.about(id))[0]?.event.type).toBe('task.succeeded');
    }
    await expect(redis.set('more', 'x')).rejects.toThrow('OOM');
  });
});

describe('What nobody is to be told of any more', () => {
  it('is forgotten: tasks that were never added, or were deleted', async () => {
    const deleted = await enqueue(['a']);
    await pending.note('text', [{ jobId: 't-never-added', url: receiver.url }], Date.now());
    await mill.queues.get('text')?.remove(deleted);
    let now = Date.now();
    const duty = { pending, policy, add: async () => {}, log: silentLogger(), now: () => now };
    const waiting = await enqueue(['a']);
    const look = async () => {
      await webhookDuty(duty).run();
      await webhookScanDuty(duty).run();
      return await mill.redis.hkeys(mill.keys.webhookPending('text'));
    };
    expect((await look()).sort()).toEqual([deleted, 't-never-added', waiting].sort());
    now += 2 * 3_600_000;
    expect(await look()).toEqual([waiting]);
  });

  it('stays when it is noted anew while it is looked at', async () => {
    const [before] = [{ jobId: 'a', url: receiver.url }];
    await pending.note('text', [before], 1);
    const [seen] = await pending.among('text', ['a']);
    await pending.noteKnown({ family: 'text', jobId: 'a' }, receiver.url, 2);
    await pending.forget('text', seen === undefined ? [] : [seen]);
    expect((await pending.among('text', ['a'])).map(({ notedAt }) => notedAt)).toEqual([2]);
  });
});
