import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const env = { FAMILIES: 'vector' };
let mill: Millrace;

beforeAll(async () => {
  mill = new Millrace({ redisUrl, prefix });
  await mill.createCollection('rounds', { dimensions: 8, metric: 'cosine' });
  await Promise.all([startWorker({ redisUrl, prefix, env }), startWorker({ redisUrl, prefix, env })]);
});
afterAll(async () => {
  await mill.close();
  await stopProcesses();
});

/** A direction that no other number gives. */
function direction(seed: number): number[] {
  return Array.from({ length: 8 }, (_, index) => Math.sin(seed * 12.9898 + index * 78.233));
}

async function upsert(id: string, seed: number) {
  const task = await mill.enqueue('vector.upsert', { collection: 'rounds', points: [{ id, vector: direction(seed) }] });
  return await task.result({ timeoutMs: 20_000 });
}

async function search(seed: number) {
  const task = await mill.enqueue('vector.search', { collection: 'rounds', vectors: [direction(seed)], topK: 1 });
  const { results } = await task.result({ timeoutMs: 20_000 });
  return results[0];
}

describe('A write that has succeeded', () => {
  it('is seen by every later search, on whichever worker: 1,000 rounds', async () => {
    const holders = new Set<string>();
    for (let round = 0; round < 1000; round += 1) {
      const { version } = await upsert(`p${round % 50}`, round);
      const task = await mill.enqueue('vector.search', { collection: 'rounds', vectors: [direction(round)], topK: 1 });
      const { results } = await task.result({ timeoutMs: 20_000 });
      expect(results[0]?.hits[0]?.id).toBe(`p${round % 50}`);
      expect(results[0]?.hits[0]?.score).toBeCloseTo(1, 5);
      expect(results[0]?.version).toBeGreaterThanOrEqual(version);
      if (round % 100 === 0) holders.add((await mill.get(task.id)).worker ?? '');
    }
    expect(holders.size).toBeGreaterThan(0);
  }, 120_000);

  it('is not seen any more once it is deleted', async () => {
    await upsert('gone', 5000);
    const before = await search(5000);
    const task = await mill.enqueue('vector.delete', { collection: 'rounds', ids: ['gone', 'never'] });
    const { deleted } = await task.result({ timeoutMs: 20_000 });
    const after = await search(5000);
    expect(before?.hits[0]?.id).toBe('gone');
    expect(deleted).toBe(1);
    expect(after?.hits[0]?.id).not.toBe('gone');
  });

  it('is waited for by a search that asks for its version, and by none that does not', async () => {
    const { version } = await mill.collection('rounds');
    const ask = { collection: 'rounds', vectors: [direction(7000)], topK: 1 };
    const backoff = { type: 'fixed', delayMs: 100 } as const;
    const patient = await mill.enqueue(
      'vector.search',
      { ...ask, atLeastVersion: version + 1 },
      { attempts: 100, backoff },
    );
    const hasTried = async () => (await mill.get(patient.id)).attempt;
    await expect.poll(hasTried, { timeout: 20_000 }).toBeGreaterThan(1);
    const now = await mill.enqueue('vector.search', { ...ask, atLeastVersion: version });
    expect((await now.result({ timeoutMs: 20_000 })).results[0]?.version).toBe(version);
    await upsert('awaited', 7000);
    const { results } = await patient.result({ timeoutMs: 20_000 });
    expect(results[0]).toMatchObject({ version: version + 1, hits: [{ id: 'awaited' }] });
  });

  it('is refused when its vectors do not suit the collection, and changes nothing', async () => {
    const { version } = await mill.collection('rounds');
    const short = { collection: 'rounds', points: [{ id: 'a', vector: [1, 2] }] };
    const zeros = {
      collection: 'rounds',
      points: [
        { id: 'a', vector: direction(1) },
        { id: 'b', vector: Array(8).fill(0) },
      ],
    };
    const missing = { collection: 'nowhere', points: [{ id: 'a', vector: direction(1) }] };
    await expect(mill.enqueue('vector.upsert', short)).rejects.toMatchObject({ code: 'COLLECTION_MISMATCH' });
    await expect(mill.enqueue('vector.upsert', zeros)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: 'input.points[1].vector' }],
    });
    await expect(mill.enqueue('vector.upsert', missing)).rejects.toMatchObject({ code: 'COLLECTION_NOT_FOUND' });
    expect((await mill.collection('rounds')).version).toBe(version);
  });
});
