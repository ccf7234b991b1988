import { fileURLToPath } from 'node:url';
import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { loadPlugins } from '@millrace/shared/plugins';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import type { TaskView } from '@millrace/shared/tasks/task';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { enqueueAll } from '../setup/enqueue-all.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses, type TestProcess } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const plugin = fileURLToPath(new URL('../setup/trouble-plugin.mjs', import.meta.url));
const { taskTypes } = await loadPlugins([plugin]);
const env = { FAMILIES: 'text', MILLRACE_PLUGINS: plugin };
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

interface Submitted {
  readonly texts: readonly string[];
  readonly timeoutMs?: number;
  readonly attempts?: number;
}

/** Enqueues tasks before any worker is there, so that they can share a batch. */
async function enqueue(tasks: readonly Submitted[]): Promise<string[]> {
  const submitted = tasks.map(({ texts, ...options }) => ({ type: 'text.trouble', input: { texts }, ...options }));
  const outcomes = await enqueueAll(mill, submitted);
  return outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.id;
  });
}

async function untilEnded(ids: readonly string[], timeoutMs = 50_000): Promise<TaskView[]> {
  await Promise.all(ids.map((id) => waitForEnd(mill, id, timeoutMs)));
  return await Promise.all(ids.map((id) => mill.reader.view(id)));
}

function texts(count: number, trouble: string): Submitted[] {
  return Array.from({ length: count }, (_, index) => ({ texts: [index === 41 ? trouble : `text ${index}`] }));
}

function deaths(worker: TestProcess): number {
  return worker.lines.filter(({ event }) => event === 'lane.died').length;
}

function states(views: readonly TaskView[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of views) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

describe('A poisoned task', () => {
  it('that aborts its process fails alone among 64, after a few crashes', async () => {
    const ids = await enqueue(texts(64, 'abort'));
    const worker = await startWorker({ redisUrl, prefix, env });
    const views = await untilEnded(ids);
    expect(states(views)).toEqual({ succeeded: 63, failed: 1 });
    expect(views[41]).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'POISONED' } });
    expect(views.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(deaths(worker)).toBeLessThanOrEqual(10);
  });

  it('that throws fails alone, and its mates lose no attempt', async () => {
    const ids = await enqueue(texts(64, 'throw').map((task) => ({ ...task, attempts: 1 })));
    await startWorker({ redisUrl, prefix, env });
    const views = await untilEnded(ids);
    expect(states(views)).toEqual({ succeeded: 63, failed: 1 });
    expect(views[41]).toMatchObject({
      state: 'failed',
      error: { code: 'PROCESSOR_FAILED', message: 'it was asked to throw' },
    });
  });

  it('that hangs is ended by its time limit, and its mates run again for nothing', async () => {
    const ids = await enqueue(texts(64, 'hang').map((task) => ({ ...task, timeoutMs: 1000, attempts: 1 })));
    await startWorker({ redisUrl, prefix, env });
    const views = await untilEnded(ids);
    expect(states(views)).toEqual({ succeeded: 63, failed: 1 });
    expect(views[41]).toMatchObject({ state: 'failed', error: { code: 'TASK_TIMEOUT' } });
  });

  it('names the text at fault, and neither the other tasks nor bystanders pay', async () => {
    const large = Array.from({ length: 8 }, (_, task) => ({
      texts: Array.from({ length: 64 }, (__, index) => (task === 3 && index === 17 ? 'abort' : `${task}.${index}`)),
    }));
    const bystanders = Array.from({ length: 120 }, (_, index) => ({ texts: [`bystander ${index}`] }));
    const ids = await enqueue([...large, ...bystanders]);
    await startWorker({ redisUrl, prefix, env });
    const views = await untilEnded(ids);
    expect(states(views)).toEqual({ succeeded: 127, failed: 1 });
    expect(views[3]?.error).toMatchObject({ code: 'POISONED', items: [{ index: 17, code: 'POISONED' }] });
    expect(views[3]?.error?.message).toMatch(/^item 17: /);
    // Alone, the 448 texts of the other large tasks would have been as many calls; the crash concerned 64 items at the most.
    const calls = views.slice(0, 8).reduce((sum, view, task) => sum + (task === 3 ? 0 : view.calls), 0);
    expect(calls).toBeLessThan(64 + 448 / 4);
  });

  it('that kills whole workers fails alone after three such crashes', async () => {
    const ids = await enqueue(texts(64, 'kill worker'));
    let ended = false;
    let crashes = 0;
    // Whoever runs workers starts them again when they die.
    const keepRunning = async () => {
      while (!ended) {
        const worker = await startWorker({ redisUrl, prefix, env });
        await worker.exited;
        if (!ended) crashes += 1;
      }
    };
    const keeping = keepRunning();
    const views = await untilEnded(ids, 150_000);
    ended = true;
    await stopProcesses();
    await keeping;
    expect(states(views)).toEqual({ succeeded: 63, failed: 1 });
    expect(views[41]).toMatchObject({ state: 'failed', error: { code: 'POISONED' } });
    expect(crashes).toBeLessThanOrEqual(10);
  }, 160_000);
});
