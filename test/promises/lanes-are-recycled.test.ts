import { fileURLToPath } from 'node:url';
import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { loadPlugins } from '@millrace/shared/plugins';
import { createKeys } from '@millrace/shared/redis/keys';
import { type LaneBeat, WorkerRegistry } from '@millrace/shared/redis/workers';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { enqueueAll } from '../setup/enqueue-all.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const plugin = fileURLToPath(new URL('../setup/trouble-plugin.mjs', import.meta.url));
/** An empty text lane has less than 200 MiB; each text `hoard` keeps 16 MiB for good. */
const limit = 350 * 2 ** 20;
const env = {
  FAMILIES: 'text',
  MILLRACE_PLUGINS: plugin,
  TEXT_LANES: '2',
  BATCH_ITEMS: '8',
  LANE_MEMORY: String(limit),
};
const redis = new Redis(redisUrl);
let mill: Mill;
let worker: TestProcess;
let apiUrl: string;

beforeAll(async () => {
  const { taskTypes } = await loadPlugins([plugin]);
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog(taskTypes) }, log: silentLogger(), name: 'test' });
  worker = await startWorker({ redisUrl, prefix, env });
  apiUrl = (await startApi({ redisUrl, prefix, env: { MILLRACE_PLUGINS: plugin } })).url;
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
  await redis.quit();
});

async function lanes(): Promise<LaneBeat[]> {
  const workers = await new WorkerRegistry(redis, createKeys(prefix)).list();
  return workers.flatMap((one) => one.lanes);
}

async function recycledByMetric(): Promise<number> {
  const text = await (await fetch(`${apiUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('millrace_lane_restarts_total{'));
  const line = lines.find((one) => one.includes('reason="recycled"'));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ')));
}

describe('Lanes above LANE_MEMORY', () => {
  it('are replaced again and again, and no task is lost or loses an attempt', async () => {
    // Every fourth text hoards: together 1.6 GiB, which no lane may ever come near.
    const tasks = Array.from({ length: 100 }, (_, index) => ({
      type: 'text.trouble',
      input: { texts: ['hoard', 'work', `text ${index}`, 'and another'] },
      attempts: 1,
    }));
    const outcomes = await enqueueAll(mill, tasks);
    const ids = outcomes.map((outcome) => ('error' in outcome ? '' : outcome.id));
    await Promise.all(ids.map((id) => waitForEnd(mill, id, 50_000)));
    const views = await Promise.all(ids.map((id) => mill.reader.view(id)));
    expect(views.filter(({ state, attempt }) => state !== 'succeeded' || attempt !== 1)).toEqual([]);

    const recycled = worker.lines.filter(({ event }) => event === 'lane.recycled');
    expect(recycled.length).toBeGreaterThanOrEqual(2);
    expect(worker.lines.filter(({ event }) => event === 'lane.died')).toEqual([]);
    const sum = (count: (lane: LaneBeat) => number) => async () =>
      (await lanes()).reduce((total, lane) => total + count(lane), 0);
    await expect
      .poll(
        sum((lane) => lane.recycled),
        { timeout: 10_000 },
      )
      .toBe(recycled.length);
    expect(await sum((lane) => lane.restarts)()).toBe(recycled.length);
    await expect.poll(recycledByMetric, { timeout: 10_000 }).toBe(recycled.length);
    for (const { rssBytes } of recycled) expect(Number(rssBytes)).toBeLessThan(2 ** 30);
  });
});
