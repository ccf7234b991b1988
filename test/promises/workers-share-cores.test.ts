import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { usableCores } from '../../apps/worker/src/compute/cores.ts';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const redis = new Redis(redisUrl);
const registry = new WorkerRegistry(redis, createKeys(prefix));
const env = { FAMILIES: 'inference' };

afterAll(async () => {
  await stopProcesses();
  await redis.quit();
});

/** The lanes of every worker that lives, most first. */
async function lanes(): Promise<number[]> {
  const workers = await registry.list();
  return workers.map((worker) => worker.lanes.length).sort((a, b) => b - a);
}

describe('Workers of one machine', () => {
  it.runIf(usableCores() >= 2)('divide its cores, and again when one comes or goes', async () => {
    const cores = usableCores();
    const shared = [Math.ceil(cores / 2), Math.floor(cores / 2)];
    await startWorker({ redisUrl, prefix, env });
    expect(await lanes()).toEqual([cores]);
    const second = await startWorker({ redisUrl, prefix, env });
    await expect.poll(lanes, { timeout: 20_000 }).toEqual(shared);
    await second.stop('SIGTERM');
    await expect.poll(lanes, { timeout: 20_000 }).toEqual([cores]);
  });
});
