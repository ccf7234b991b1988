import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../api/open-test-api.ts';
import { ownPrefix } from '../setup/mill.ts';
import { type PrivateRedis, startRedis } from '../setup/private-redis.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const count = 1500;

let redis: PrivateRedis;
let api: TestApi;
const prefix = ownPrefix();
/** Fewer may wait than a map has under way. */
const maxWaiting = 50;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi(redis.url, { MILLRACE_PREFIX: prefix, MAX_WAITING: maxWaiting });
  await startWorker({ redisUrl: redis.url, prefix, env: { FAMILIES: 'text' } });
});
afterAll(async () => {
  await stopProcesses();
  await api.api.close();
  await redis.stop();
});

async function* inputs() {
  for (let index = 0; index < count; index += 1) yield { texts: [`text ${index}`], format: 'plain' as const };
}

describe.each(['Redis', 'HTTP'])('A map by %s', (way) => {
  it('gets through a full queue and through a Redis that goes away, without losing or doubling one', async () => {
    const address =
      way === 'Redis' ? { redisUrl: redis.url, prefix, maxWaiting } : { baseUrl: api.url, retryMs: 60_000 };
    const mill = new Millrace(address);
    const tag = `through-${way}`;
    const ids = new Set<string | undefined>();
    let expected = 0;
    for await (const outcome of mill.map('text.clean', inputs(), { tags: [tag] })) {
      expect(outcome).toMatchObject({ index: expected, status: 'succeeded', output: { texts: [`text ${expected}`] } });
      ids.add(outcome.id);
      expected += 1;
      // In the middle of the work, once with notice and once without.
      if (expected === 300) await redis.restart();
      if (expected === 900) {
        await redis.kill('SIGKILL');
        await redis.restart();
      }
    }
    expect(expected).toBe(count);
    expect(ids.size).toBe(count);
    let accepted = 0;
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await mill.list({ tag, limit: 200, ...(cursor === undefined ? {} : { cursor }) });
      accepted += page.tasks.length;
      cursor = page.cursor;
    }
    expect(accepted).toBe(count);
    await mill.close();
  });
});
