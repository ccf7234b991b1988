import { silentLogger } from '@millrace/shared/logger';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import fc from 'fast-check';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { replicaMoves } from '../src/vector/replica.ts';
import { ReplicaWorld, type Step, step } from './replica-world.ts';

const redis = connectRedis({ url: inject('redisUrl'), role: 'worker', name: 'test', log: silentLogger() });
afterAll(() => disconnectRedis(redis));

async function live(steps: readonly Step[]): Promise<void> {
  const world = new ReplicaWorld(redis);
  await world.begin();
  try {
    for (const one of steps) await world.take(one);
  } finally {
    await world.end();
  }
}

describe('A replica', () => {
  it('answers like a Map, whatever is written, deleted, trimmed, dropped, lost by Redis, restarted and snapshot', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => live(steps)),
      { numRuns: Number(process.env['MILLRACE_TEST_RUNS'] ?? 150) },
    );
  }, 600_000);

  it('takes nothing from a snapshot that Redis has lost since', async () => {
    const search = { do: 'search' as const, seed: 1, k: 70, parity: undefined };
    const lost = [{ do: 'upsert' as const, ids: [3, 4], seed: 2 }, search, { do: 'snapshot' as const }];
    await live([
      { do: 'upsert', ids: [1, 2, 3], seed: 1 },
      { do: 'loseWrites', lost, instead: [{ do: 'restart' }] },
      search,
    ]);
  });

  it('of a collection that is made anew under searches and writes never shows points of the former one', async () => {
    const world = new ReplicaWorld(redis);
    await world.begin();
    try {
      await world.remakeUnderSearches(60);
    } finally {
      await world.end();
    }
  });

  it('answers only while it follows, can always be let go, and never comes back', () => {
    expect(replicaMoves).toEqual({
      loading: ['following', 'gone'],
      following: ['rereading', 'gone'],
      rereading: ['following', 'gone'],
      gone: [],
    });
  });
});
