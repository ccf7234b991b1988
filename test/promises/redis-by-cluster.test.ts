import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enqueueStubbornly } from '../setup/enqueue-all.ts';
import { mixedTexts, ownPrefix } from '../setup/mill.ts';
import { startApi, startWorker, stopProcesses } from '../setup/processes.ts';
import { otherMaster, startClusterSet } from '../setup/redis-sets.ts';
import { tryWholeChannel } from '../setup/whole-channel.ts';

const prefix = ownPrefix();
let set: Awaited<ReturnType<typeof startClusterSet>>;
let mill: Millrace;
let apiUrl: string;

beforeAll(async () => {
  set = await startClusterSet(prefix);
  const options = { redisUrl: set.url, prefix };
  mill = new Millrace(options);
  const [api] = await Promise.all([startApi(options), startWorker(options)]);
  apiUrl = api.url;
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
  await set.close();
});

describe('A mill in a cluster', () => {
  it('does all that it does with one Redis', async () => {
    await tryWholeChannel({ apiUrl, mill });
  });

  it('goes on with the replica when its master is replaced in order, and loses nothing', async () => {
    const { port } = await set.master();
    const sending = enqueueStubbornly(mill, mixedTexts(60));
    await set.failover();
    await otherMaster(set, port);
    const ids = await sending;
    const ends = await Promise.all(ids.map((id) => mill.wait(id, { timeoutMs: 40_000 })));
    expect(ends.every(({ state }) => state === 'succeeded')).toBe(true);
  });

  it('stands still while its slot is moved to another node, and goes on there', async () => {
    await set.settled();
    const { port } = await set.master();
    const move = await set.moveSlot();
    await move.begin();
    const sending = enqueueStubbornly(mill, mixedTexts(20));
    await move.end();
    const ids = await sending;
    const ends = await Promise.all(ids.map((id) => mill.wait(id, { timeoutMs: 40_000 })));
    expect(ends.every(({ state }) => state === 'succeeded')).toBe(true);
    expect((await set.master()).port).not.toBe(port);
  });
});
