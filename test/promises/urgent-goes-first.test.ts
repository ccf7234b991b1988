import { fileURLToPath } from 'node:url';
import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { loadPlugins } from '@millrace/shared/plugins';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { enqueueAll } from '../setup/enqueue-all.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const plugin = fileURLToPath(new URL('../setup/trouble-plugin.mjs', import.meta.url));
const { taskTypes } = await loadPlugins([plugin]);
let prefix: string;
let mill: Mill;

beforeEach(() => {
  prefix = ownPrefix();
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog(taskTypes) }, log: silentLogger(), name: 'test' });
});
afterEach(async () => {
  await mill.close();
  await stopProcesses();
});

/** Which call of the worker carried a task last: calls are numbered. */
async function callNumber(id: string): Promise<number> {
  const { batch } = await mill.reader.view(id);
  return Number(/-(\d+)$/.exec(batch?.id ?? '')?.[1]);
}

async function enqueue(texts: string[], priority: 'critical' | 'low', count = 1): Promise<string[]> {
  const task = { type: 'text.trouble', input: { texts }, priority };
  const outcomes = await enqueueAll(mill, new Array(count).fill(task));
  return outcomes.map((outcome) => ('id' in outcome ? outcome.id : ''));
}

describe('An urgent task', () => {
  it.each([
    ['10,000 small tasks', ['work'], 10_000],
    ['tasks of many items, with every slot taken', new Array(64).fill('work') as string[], 160],
  ])('under a flood of %s starts with the next batch', async (_, texts, count) => {
    // Eight items of 50 ms a call.
    await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text', MILLRACE_PLUGINS: plugin, BATCH_ITEMS: '8' } });
    const flood: string[] = [];
    for (let sent = 0; sent < count; sent += 5000)
      flood.push(...(await enqueue(texts, 'low', Math.min(5000, count - sent))));
    // The flood is under way when its first task has ended.
    expect(await waitForEnd(mill, flood[0] ?? '', 50_000)).toBe(true);
    const before = await newestCall();
    const [urgent = ''] = await enqueue(['fine'], 'critical');
    expect(await waitForEnd(mill, urgent, 20_000)).toBe(true);
    // One call was being computed and one already sent; the next is the urgent task's, or the one after it, for the fetch
    // takes a moment in which a call may end.
    expect((await callNumber(urgent)) - before).toBeLessThanOrEqual(4);
  });
});

/** The newest call that has ended, as the tasks of the flood tell. */
async function newestCall(): Promise<number> {
  const ids = await mill.redis.zrevrange(mill.keys.ended('text'), 0, 20);
  const numbers = await Promise.all(ids.map(callNumber));
  return Math.max(...numbers);
}
