import type { Mill } from '@millrace/client/mill';
import { readEndedByMinute } from '@millrace/shared/queue-rates';
import { Collections } from '@millrace/shared/redis/collections';
import { withRedis } from '@millrace/shared/redis/connection';
import { readInfo } from '@millrace/shared/redis/info';
import { type HighWater, highWaterBytes, memoryOf } from '@millrace/shared/redis/memory';
import { readQueueReports } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Batches } from '../runs/batches.ts';
import { version } from '../version.ts';
import { CallFigures } from './call-figures.ts';
import { FailureGroups } from './failure-groups.ts';
import type { Overview } from './overview-schema.ts';
import { collectionView, runViews, workerView } from './views.ts';

interface OverviewParams {
  readonly mill: Mill;
  readonly batches: Batches;
  /** DRAIN_TARGET, in ms. */
  readonly drainTargetMs: number;
  readonly highWater: HighWater;
  /** Whether the API asks for keys. */
  readonly keys: boolean;
}

const rateMinutes = 60;
const mostWorkers = 100;
const mostCollections = 100;
const runsLookedAt = 50;

/** Gives what reads how all of a mill stands; that rejects with MillraceError REDIS_UNAVAILABLE. */
export function overviewReader(params: OverviewParams): () => Promise<Overview> {
  const { mill, batches, drainTargetMs, highWater, keys } = params;
  const failures = new FailureGroups(mill);
  const calls = new CallFigures({
    read: () => withRedis(() => mill.workers.metrics()),
    now: () => performance.now(),
  });
  return async () => {
    const now = Date.now();
    const beats = await withRedis(() => mill.workers.list());
    const [redis, queues, rates, called, runs, collections, failed] = await Promise.all([
      readMemory(mill, highWater),
      readQueueReports(mill, drainTargetMs),
      readRates(mill, now),
      calls.read(),
      batches.list({ after: undefined, count: runsLookedAt }),
      readCollections(mill, beats),
      failures.read(),
    ]);
    return {
      ...{ at: new Date(now).toISOString(), version, keys, redis, queues, rates },
      workers: { total: beats.length, listed: beats.slice(0, mostWorkers).map(workerView) },
      calls: called,
      runs: runViews(runs),
      collections,
      failures: failed,
    };
  };
}

async function readMemory({ redis }: Mill, highWater: HighWater): Promise<Overview['redis']> {
  const { used, limit } = memoryOf(await withRedis(() => readInfo(redis, 'memory')));
  const refusedFrom = highWaterBytes(highWater, limit);
  return {
    usedBytes: used,
    limitBytes: limit === 0 ? null : limit,
    refusedFromBytes: Number.isFinite(refusedFrom) ? Math.round(refusedFrom) : null,
  };
}

async function readRates({ queues }: Mill, now: number): Promise<Overview['rates']> {
  return await Promise.all(
    [...queues].map(async ([family, queue]) => {
      const ended = await withRedis(() => readEndedByMinute(queue, { now, minutes: rateMinutes }));
      return { family, succeeded: [...ended.succeeded], failed: [...ended.failed] };
    }),
  );
}

async function readCollections({ redis, keys }: Mill, beats: readonly WorkerBeat[]): Promise<Overview['collections']> {
  const names = (await withRedis(() => redis.smembers(keys.collections))).sort();
  const states = await withRedis(() => new Collections(redis, keys).readEach(names.slice(0, mostCollections)));
  const listed = states.flatMap((state) => (state === undefined ? [] : [collectionView(state, beats)]));
  return { total: names.length, listed };
}
