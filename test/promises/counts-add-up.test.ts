import { type Mill, openMill } from '@millrace/client/mill';
import { waitForEnd } from '@millrace/client/wait-for-end';
import { silentLogger } from '@millrace/shared/logger';
import { readQueueFacts } from '@millrace/shared/redis/queue-facts';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { enqueueAll } from '../setup/enqueue-all.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
let mill: Mill;

beforeAll(async () => {
  mill = openMill({ redisUrl, prefix, door: { catalog: createCatalog() }, log: silentLogger(), name: 'test' });
  await startWorker({ redisUrl, prefix, env: { FAMILIES: 'text' } });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

/** All tasks of the family at one moment, whatever their state. */
async function countAll(): Promise<number> {
  const { queued, scheduled, running, succeeded, failed } = await readQueueFacts(mill, 'text', []);
  return queued + scheduled + running + succeeded + failed;
}

describe('The states of all tasks', () => {
  it('add up to what was accepted at every read, while tasks come, run, fail, are delayed, cancelled and end', async () => {
    const accepted: string[] = [];
    let sent = 0;
    let done = false;
    const send = async (extra: object) => {
      const task = { type: 'text.clean', input: { texts: ['<p>a'], format: 'html' }, ...extra };
      sent += 20;
      const outcomes = await enqueueAll(mill, new Array(20).fill(task));
      accepted.push(...outcomes.flatMap((outcome) => ('id' in outcome ? [outcome.id] : [])));
    };
    const producing = (async () => {
      for (let round = 0; round < 60; round += 1) {
        await send(round % 3 === 0 ? { delayMs: 200 } : round % 3 === 1 ? { priority: 'low' } : { priority: 'high' });
        const some = accepted[Math.floor(accepted.length / 2)];
        // Some are still waiting, some have ended: either is right here.
        if (some !== undefined) await mill.steering.cancel(some).catch(() => {});
      }
    })().finally(() => {
      done = true;
    });
    let reads = 0;
    while (!done) {
      const before = accepted.length;
      const all = await countAll();
      expect(all).toBeGreaterThanOrEqual(before);
      expect(all).toBeLessThanOrEqual(sent);
      reads += 1;
    }
    await producing;
    await Promise.all(accepted.map((id) => waitForEnd(mill, id, 30_000)));
    const { queued, scheduled, running } = await readQueueFacts(mill, 'text', []);
    expect({ queued, scheduled, running, all: await countAll() }).toEqual({
      queued: 0,
      scheduled: 0,
      running: 0,
      all: 1200,
    });
    expect(reads).toBeGreaterThan(50);
  });
});
