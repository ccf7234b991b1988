import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { expiryDuty } from '@millrace/shared/sweep/expiry';
import type { Duty } from '@millrace/shared/sweep/sweeper';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { openTestApi } from '../api/open-test-api.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const expiresInMs = 60_000;
let prefix: string;
let mill: Mill;
/** Simulated, ms since 1970. */
let now: number;
let expiry: Duty;

beforeEach(() => {
  prefix = ownPrefix();
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });
  now = Date.now();
  expiry = expiryDuty({ redis: mill.redis, keys: mill.keys, now: () => now });
});
afterEach(async () => {
  await mill.close();
  await stopProcesses();
});

async function enqueue(options: Record<string, unknown> = {}): Promise<string> {
  const task = { type: 'text.clean', input: { texts: ['a'], format: 'plain' }, expiresInMs, ...options };
  const prepared = mill.enqueuer.prepare(task);
  await mill.enqueuer.add(prepared);
  return prepared.id;
}

async function stateOf(id: string): Promise<string> {
  return (await mill.reader.view(id)).state;
}

async function owed(): Promise<number> {
  return Number((await mill.redis.hget(mill.keys.owed, 'text')) ?? 0);
}

describe('A task that was not started in time', () => {
  it('ends as expired although no worker lives, and whoever waits is told', async () => {
    const ids = [await enqueue(), await enqueue({ delayMs: 3_600_000 })];
    const patient = await enqueue({ expiresInMs: 2 * expiresInMs });
    const ended = ids.map((id) => waitForEnd(mill, id, 30_000));
    now += expiresInMs - 1000;
    expect(await expiry.run()).toBe(0);
    now += 2000;
    expect(await expiry.run()).toBe(2);
    expect(await Promise.all(ended)).toEqual([true, true]);
    for (const id of ids) {
      expect(await mill.reader.view(id)).toMatchObject({ state: 'expired', attempt: 0, error: { code: 'EXPIRED' } });
      expect(await mill.redis.zscore(mill.keys.ended('text'), id)).not.toBeNull();
    }
    expect(await stateOf(patient)).toBe('queued');
    const left = await owed();
    expect(left).toBeGreaterThan(0);
    now += expiresInMs;
    expect(await expiry.run()).toBe(1);
    expect(await owed()).toBe(0);
  });

  it('is let be while a worker has it, and ends when it comes back unbegun', async () => {
    const id = await enqueue();
    const worker = new Worker('text', null, { connection: { url: redisUrl, maxRetriesPerRequest: null }, prefix });
    const job = await worker.getNextJob('test', { block: false });
    now += expiresInMs + 1000;
    expect(await expiry.run()).toBe(0);
    expect(await stateOf(id)).toBe('running');
    await job?.moveToWait('test');
    now += 10_000;
    expect(await expiry.run()).toBe(1);
    expect(await stateOf(id)).toBe('expired');
    await worker.close();
  });

  it('is forgotten by the sweep when it has ended in time', async () => {
    const id = await enqueue();
    await mill.steering.cancel(id);
    now += expiresInMs + 1000;
    expect(await expiry.run()).toBe(0);
    expect(await stateOf(id)).toBe('cancelled');
    expect(await mill.redis.zcard(mill.keys.expiring('text'))).toBe(0);
  });

  it('is ended by the API alone, without anybody asking', async () => {
    const api = await openTestApi(redisUrl);
    const body = { type: 'text.clean', input: { texts: ['a'], format: 'plain' }, expiresInMs: 100 };
    const { id } = (await (await api.post('/v1/tasks', body)).json()) as { id: string };
    const task = await (await api.get(`/v1/tasks/${id}?wait=30`)).json();
    expect(task).toMatchObject({ id, state: 'expired', error: { code: 'EXPIRED' } });
    await api.api.close();
  });

  it('is not begun by a worker that pulls it too late', async () => {
    await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } });
    const data = { v: 1, input: { texts: ['a'], format: 'plain' }, expiresAt: Date.now() - 1 };
    const job = await mill.queues.get('text')?.add('text.clean', data, { priority: 100, attempts: 3 });
    const id = `text.${job?.id}`;
    expect(await waitForEnd(mill, id, 20_000)).toBe(true);
    expect(await mill.reader.view(id)).toMatchObject({ state: 'expired', calls: 0 });
  });
});
