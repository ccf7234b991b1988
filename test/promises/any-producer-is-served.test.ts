import { Millrace } from '@millrace/client';
import { openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
const queue = new Queue('inference', { connection, prefix });
const texts = new Queue('text', { connection, prefix });
const mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });

beforeAll(async () => {
  await startWorker({ redisUrl, prefix, env: { INFERENCE_LANES: '1' } });
});
afterAll(async () => {
  await mill.close();
  await Promise.all([queue.close(), texts.close()]);
  await connection.quit();
  await stopProcesses();
});

describe('A bare BullMQ producer', () => {
  it('has its job processed like any other, and finds the result by the return value', async () => {
    const job = await queue.add('inference.embed', { v: 1, input: { texts: ['hello'] } }, { priority: 5 });
    const id = `inference.${job.id}`;
    expect(await waitForEnd(mill, id, 20_000)).toBe(true);
    const { view, vectors } = await mill.reader.result(id);
    expect(view).toMatchObject({ id, type: 'inference.embed', state: 'succeeded', attempt: 1 });
    expect(vectors).toMatchObject({ rows: 1, dimensions: 384 });
    const { result, rows } = (await queue.getJob(job.id ?? ''))?.returnvalue ?? {};
    expect(rows).toBe(1);
    expect((await connection.hgetBuffer(result, 'vectors'))?.byteLength).toBe(384 * 4);
  });

  it('need not give a priority, and cannot make BullMQ remove the tasks of others', async () => {
    const kept = await queue.add('inference.embed', { v: 1, input: { texts: ['kept'] } });
    await waitForEnd(mill, `inference.${kept.id}`, 20_000);
    const job = await queue.add(
      'inference.embed',
      { v: 1, input: { texts: ['a'] } },
      { removeOnComplete: { count: 1 } },
    );
    await waitForEnd(mill, `inference.${job.id}`, 20_000);
    expect((await mill.reader.view(`inference.${kept.id}`)).state).toBe('succeeded');
    expect((await mill.reader.view(`inference.${job.id}`)).state).toBe('succeeded');
  });

  it('is told every problem of a job that is not right, and the job fails at once', async () => {
    const job = await queue.add('inference.embed', { v: 1, input: { texts: [1, ''] }, colour: 'red' }, { attempts: 3 });
    const id = `inference.${job.id}`;
    expect(await waitForEnd(mill, id, 20_000)).toBe(true);
    const view = await mill.reader.view(id);
    expect(view).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'INVALID_INPUT' } });
    expect(view.error?.problems?.map(({ path }) => path).sort()).toEqual([
      'data.colour',
      'input.texts[0]',
      'input.texts[1]',
    ]);
  });

  it('has a job of a type that this worker does not know put back for a newer one', async () => {
    const job = await texts.add('text.translate', { v: 1, input: {} });
    await expect
      .poll(async () => await (await texts.getJob(job.id ?? ''))?.getState(), { timeout: 10_000 })
      .toBe('delayed');
  });
});

describe('The Node client', () => {
  it('enqueues, waits and gives outputs by their type', async () => {
    const client = new Millrace({ redisUrl, prefix });
    const task = await client.enqueue(
      'text.clean',
      { texts: ['<b>a</b>', 'c &amp; d'], format: 'html' },
      { priority: 'high' },
    );
    expect(await task.result({ timeoutMs: 20_000 })).toEqual({ texts: ['a', 'c & d'] });
    expect(await task.read()).toMatchObject({ state: 'succeeded', priority: 10, type: 'text.clean' });
    await client.close();
  });

  it('refuses what is wrong before it sends anything, with every problem', async () => {
    const client = new Millrace({ redisUrl, prefix });
    const wrong = client.enqueue('inference.embed', { texts: [] }, { priority: 1.5, attempts: 0 });
    await expect(wrong).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: 'priority' }, { path: 'attempts' }, { path: 'input.texts' }],
    });
    await client.close();
  });

  it('is refused a task for a model that no worker has, and told which there are', async () => {
    const client = new Millrace({ redisUrl, prefix });
    const wrong = client.enqueue('inference.embed', { texts: ['a'], model: 'no-such-model' });
    await expect(wrong).rejects.toMatchObject({
      code: 'MODEL_NOT_AVAILABLE',
      message: expect.stringContaining('all-MiniLM-L6-v2'),
    });
    await expect(client.enqueue('inference.embed', { texts: ['a'], model: '../models' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await client.close();
  });

  it('says which text of many cannot be embedded', async () => {
    const client = new Millrace({ redisUrl, prefix });
    await expect(client.embed(['a', 'b', ' '])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: 'input.texts[2]' }],
    });
    await client.close();
  });
});

describe('The names of jobs', () => {
  it('make no series of metrics: what is no type is counted as one', async () => {
    const names = ['no type', 'x'.repeat(10_000), 'a"} 1\n', '__proto__'];
    const jobs = await texts.addBulk(names.map((name) => ({ name, data: { v: 1, input: {} } })));
    for (const { id = '' } of jobs) {
      await expect.poll(async () => await (await texts.getJob(id))?.getState(), { timeout: 10_000 }).toBe('delayed');
    }
    const settled = async () => {
      const [own] = (await mill.workers.metrics()).values();
      const all = own as { name: string; values: { value: number; labels: Record<string, string> }[] }[];
      return all.find(({ name }) => name === 'millrace_tasks_settled_total')?.values ?? [];
    };
    // A heartbeat later.
    await expect
      .poll(async () => (await settled()).find(({ labels }) => labels['type'] === 'other')?.value, { timeout: 15_000 })
      .toBeGreaterThanOrEqual(names.length);
    const types = new Set((await settled()).map(({ labels }) => labels['type'] ?? ''));
    expect([...types].filter((type) => !/^(text|inference)\.[a-z]+$/.test(type))).toEqual(['other']);
  });
});
