import { once } from 'node:events';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { type OutcomeWrite, packVectors, ResultStore } from '@millrace/shared/redis/results';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../../test/setup/mill.ts';
import { RecentOutcomes } from '../src/recent-outcomes.ts';

const log = silentLogger();
const keys = createKeys(ownPrefix());
const redis = connectRedis({ url: inject('redisUrl'), role: 'worker', name: 'test', log });
const results = new ResultStore(redis, keys);
let now = 0;
const outcomes = new RecentOutcomes({ results, redis, keys, log, now: () => now });
afterAll(() => disconnectRedis(redis));

function writeOf(jobId: string): OutcomeWrite {
  const facts = {
    worker: 'w',
    attempt: 1,
    tags: [],
    pulledAt: 1,
    firstCallAt: 2,
    lastCallEndedAt: 3,
    batch: null,
    calls: 1,
  };
  return {
    ref: { family: 'inference', jobId },
    attempt: 1,
    outcome: { ...facts, status: 'succeeded', output: { model: 'm' }, vectorsField: 'embeddings' },
    vectors: packVectors([Float32Array.of(1, 2)]),
    ttlMs: 60_000,
    token: undefined,
    ends: { owed: 0 },
  };
}

const keyOf = (jobId: string) => keys.result({ family: 'inference', jobId }, 1);
const read = (jobId: string) => results.read({ family: 'inference', jobId }, 1);

/** What a replica that becomes master does: it lacks the newest writes, and connections are made anew. */
async function loseAndReconnect(...jobIds: string[]): Promise<void> {
  await redis.del(...jobIds.map(keyOf));
  redis.disconnect(true);
  await once(redis, 'ready');
}

describe('An outcome that the new master never got', () => {
  it('is written again once the connection is made anew, with its vectors and a time to live', async () => {
    await outcomes.write(writeOf('lost'));
    const before = await read('lost');
    await loseAndReconnect('lost');
    await expect.poll(() => redis.exists(keyOf('lost')), { timeout: 10_000 }).toBe(1);
    expect(await read('lost')).toEqual(before);
    expect(await redis.pttl(keyOf('lost'))).toBeGreaterThan(0);
  });

  it('is left alone when it is there, and forgotten when others have come long after it', async () => {
    await outcomes.write(writeOf('old'));
    now += 60_000;
    await outcomes.write(writeOf('new'));
    await redis.hset(keyOf('new'), 'meta', '{"v":1,"changed":true}');
    await outcomes.write(writeOf('newest'));
    await loseAndReconnect('old', 'newest');
    await expect.poll(() => redis.exists(keyOf('newest')), { timeout: 10_000 }).toBe(1);
    expect(await redis.exists(keyOf('old'))).toBe(0);
    expect(await redis.hget(keyOf('new'), 'meta')).toContain('changed');
  });
});
