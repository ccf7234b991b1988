import { Millrace } from '@millrace/client';
import { MillraceError } from '@millrace/shared/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type RedisSet, untilSo } from '../../scripts/redis/set.mjs';
import { enqueueStubbornly } from '../setup/enqueue-all.ts';
import { mixedTexts, ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';
import { caughtUp, otherMaster, startSentinelSet } from '../setup/redis-sets.ts';

const prefix = ownPrefix();
let set: RedisSet;
let mill: Millrace;

beforeAll(async () => {
  set = await startSentinelSet();
  const options = { redisUrl: set.url, prefix };
  mill = new Millrace(options);
  await startWorker({ ...options, env: { FAMILIES: 'inference', INFERENCE_LANES: '1' } });
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
  await set.close();
});

async function ended(ids: readonly string[]): Promise<string[]> {
  const ends = await Promise.all(ids.map((id) => mill.wait(id, { timeoutMs: 40_000 })));
  return [...new Set(ends.map(({ state }) => state))];
}

describe('A mill behind Sentinels', () => {
  it('follows to the new master as soon as there is one, though the old one goes on, and loses nothing', async () => {
    const old = await set.master();
    const before = await enqueueStubbornly(mill, mixedTexts(40));
    expect(await ended(before)).toEqual(['succeeded']);
    // What is told to a master reaches its replicas a moment later; what has not is lost with it.
    await caughtUp(set);
    await set.failover();
    await otherMaster(set, old.port);
    await untilSo(
      async () => !String(await ask(old.url, ['CLIENT', 'LIST'])).includes('name=millrace:'),
      'all gone over',
    );
    const after = await enqueueStubbornly(mill, mixedTexts(30));
    expect(await ended([...before, ...after])).toEqual(['succeeded']);
  });

  it('says within its time limit that nobody knows while there is none, and ends all tasks that the new one has', async () => {
    const master = await set.master();
    const before = await enqueueStubbornly(mill, mixedTexts(50));
    await caughtUp(set);
    await master.end('SIGKILL');
    const error = await mill.enqueue('inference.embed', { texts: ['a'] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MillraceError);
    expect(error).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    const after = await enqueueStubbornly(mill, mixedTexts(20));
    expect((await set.master()).port).not.toBe(master.port);
    expect(await ended([...before, ...after])).toEqual(['succeeded']);
  });
});
