import { Millrace, type MillraceOptions } from '@millrace/client';
import { type Mill, openMill } from '@millrace/client/mill';
import { MillraceError } from '@millrace/shared/errors';
import { silentLogger } from '@millrace/shared/logger';
import { owedDuty } from '@millrace/shared/sweep/owed';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { openStandInWorker } from '../api/stand-in-worker.ts';
import { enqueueAll } from '../setup/enqueue-all.ts';
import { ownPrefix } from '../setup/mill.ts';

const redisUrl = inject('redisUrl');
const clean = { texts: ['a'], format: 'plain' as const };
let prefix: string;
/** For looking; it has no bounds to speak of. */
let mill: Mill;
const clients: Millrace[] = [];

beforeEach(() => {
  prefix = ownPrefix();
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await mill.close();
});

function client(options: Partial<MillraceOptions> = {}): Millrace {
  const opened = new Millrace({ redisUrl, prefix, ...options });
  clients.push(opened);
  return opened;
}

async function waiting(): Promise<number> {
  const counts = await mill.queues.get('text')?.getJobCounts('prioritized', 'delayed');
  return (counts?.['prioritized'] ?? 0) + (counts?.['delayed'] ?? 0);
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await mill.redis.info('memory'))?.[1]);
}

async function owed(): Promise<number> {
  return Number((await mill.redis.hget(mill.keys.owed, 'text')) ?? 0);
}

/** How many of some enqueues were accepted; the others must have been refused in order. */
async function accepted(enqueues: readonly Promise<unknown>[]): Promise<number> {
  const outcomes = await Promise.allSettled(enqueues);
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    expect(outcome.reason).toBeInstanceOf(MillraceError);
    expect(outcome.reason).toMatchObject({ code: 'QUEUE_FULL', retryable: true });
    expect(outcome.reason.retryAfterMs).toBeGreaterThan(0);
  }
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

describe('MAX_WAITING', () => {
  it('holds to the task, however many are enqueued at once', async () => {
    const app = client({ maxWaiting: 100 });
    const enqueue = () => Array.from({ length: 3000 }, () => app.enqueue('text.clean', clean));
    expect(await accepted(enqueue())).toBe(100);
    expect(await accepted(enqueue())).toBe(0);
    expect(await waiting()).toBe(100);
  });

  it('counts scheduled tasks, and each family by itself', async () => {
    const app = client({ maxWaiting: 1 });
    await app.enqueue('text.clean', clean, { delayMs: 60_000 });
    expect(await accepted([app.enqueue('text.clean', clean)])).toBe(0);
    expect(await accepted([app.enqueue('inference.embed', { texts: ['a'] })])).toBe(1);
  });

  it('lets in of many as many as there is room for, the first ones', async () => {
    const bounded = openMill({
      ...{ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' },
      bounds: { maxWaiting: 5, highWater: { share: 1 } },
    });
    const outcomes = await enqueueAll(bounded, new Array(8).fill({ type: 'text.clean', input: clean }));
    expect(outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : 'accepted'))).toEqual([
      ...new Array(5).fill('accepted'),
      ...new Array(3).fill('QUEUE_FULL'),
    ]);
    await bounded.close();
  });
});

describe('REDIS_HIGH_WATER', () => {
  it('is not overshot by thousands of enqueues at once, with what they will still write', async () => {
    await mill.redis.ping();
    const free = 8 * 2 ** 20;
    const highWater = (await usedMemory()) + free;
    const apps = [1, 2].map(() => client({ redisHighWater: String(highWater) }));
    const input = { texts: ['0123456789abcdef'.repeat(256)], format: 'plain' as const };
    let count = 0;
    // Each round after the facts of the last are old.
    for (let round = 0; round < 4; round += 1) {
      count += await accepted(apps.flatMap((app) => enqueueMany(app, input)));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(count).toBeGreaterThan(400);
    // Two processes do not know of each other for a quarter of a second.
    expect((await usedMemory()) + (await owed()) - highWater).toBeLessThan(free);
    const alone = await owed();
    expect(alone / count).toBeGreaterThan(4096);
  });

  it('says that it is neither a share nor bytes', () => {
    expect(() => new Millrace({ redisUrl, redisHighWater: 'much' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});

function enqueueMany(app: Millrace, input: { texts: string[]; format: 'plain' }): Promise<unknown>[] {
  return Array.from({ length: 1000 }, () => app.enqueue('text.clean', input));
}

describe('What accepted tasks owe', () => {
  it('is nothing any more when they have succeeded, failed, been cancelled or expired', async () => {
    const app = client();
    const doomed = await app.enqueue('text.clean', { texts: ['fail'], format: 'plain' });
    const cancelled = await app.enqueue('text.clean', clean, { delayMs: 60_000 });
    await app.enqueueMany('text.clean', new Array(20).fill(clean));
    expect(await owed()).toBeGreaterThan(22 * 1536);
    await mill.steering.cancel(cancelled.id);
    const worker = openStandInWorker({ redisUrl, prefix });
    await expect.poll(async () => (await doomed.read()).state).toBe('failed');
    await expect.poll(waiting).toBe(0);
    await worker.close();
    expect(await doomed.read()).toMatchObject({ state: 'failed' });
    // The stand-in fails a task without a word to us; the sweep finds that nothing is left to do.
    await owedDuty(mill.redis, mill.keys).run();
    expect(await owed()).toBe(0);
  });

  it('stays while there is anything left to do', async () => {
    const app = client();
    await app.enqueue('text.clean', clean);
    expect(await owedDuty(mill.redis, mill.keys).run()).toBe(0);
    expect(await owed()).toBeGreaterThan(0);
  });
});

describe('A client that waits for room', () => {
  it('enqueues as soon as there is some', async () => {
    const app = client({ maxWaiting: 1 });
    const first = await app.enqueue('text.clean', clean);
    let isIn = false;
    const second = app.enqueue('text.clean', clean, { waitForRoomMs: 30_000 }).then((task) => {
      isIn = true;
      return task;
    });
    await expect(app.enqueue('text.clean', clean, { waitForRoomMs: 50 })).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    expect(isIn).toBe(false);
    await mill.steering.cancel(first.id);
    expect(await (await second).read()).toMatchObject({ state: 'queued' });
  });

  it('gets many in, in order, a few at a time', async () => {
    const app = client({ maxWaiting: 10 });
    const worker = openStandInWorker({ redisUrl, prefix });
    const inputs = Array.from({ length: 40 }, (_, index) => ({ texts: [`text ${index}`], format: 'plain' as const }));
    const tasks = await app.enqueueMany('text.clean', inputs, { waitForRoomMs: 30_000 });
    const outputs = await Promise.all(tasks.map((task) => task.result()));
    expect(outputs.map(({ texts }) => texts[0])).toEqual(inputs.map(({ texts }) => texts[0]?.toUpperCase()));
    await worker.close();
  });

  it('waits in embed, too, which takes any number of texts', async () => {
    const app = client({ maxWaiting: 2 });
    const worker = openStandInWorker({ redisUrl, prefix });
    const texts = Array.from({ length: 64 * 6 }, (_, index) => 'x'.repeat(1 + (index % 50)));
    expect(await app.embed(texts)).toHaveLength(texts.length);
    await worker.close();
  });
});
