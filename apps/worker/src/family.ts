import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { CallRecord, CrashFacts } from '@millrace/shared/redis/call-records';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { TaskIndex } from '@millrace/shared/redis/task-index';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { Door } from '@millrace/shared/tasks/parse';
import type { Family } from '@millrace/shared/tasks/task';
import { Batcher } from './batch/batcher.ts';
import type { BatchLimits } from './batch/close-rule.ts';
import { Lanes } from './compute/lanes.ts';
import type { WorkerConfig } from './config.ts';
import { FetchWatchdog } from './fetch-watchdog.ts';
import { IndexWriter } from './index-writer.ts';
import { Dispatcher } from './process/dispatcher.ts';
import type { QueuedItem } from './process/isolation.ts';
import { Puller, type WindowLimits } from './pull.ts';
import type { Settler } from './settle.ts';

/** What a worker runs for one family: pull -> batcher -> lanes -> settle. */
export interface FamilyWorker {
  readonly family: Family;
  readonly lanes: Lanes;
  readonly puller: Puller;
  readonly batcher: Batcher<QueuedItem>;
  /** Warms the lanes, then pulls. @throws MillraceError LANE_FAILED. */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface FamilyWorkerParams {
  readonly family: Family;
  readonly config: WorkerConfig;
  readonly workerId: string;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly door: Door;
  readonly settler: Settler;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Lanes to begin with. */
  readonly laneCount: number;
  readonly isCancelled: (ref: TaskRef) => boolean;
  readonly judge: (ref: TaskRef) => Promise<CrashFacts>;
  readonly noteCall: (place: string, call: CallRecord) => void;
}

/** Characters of text in one call to a text lane, and in its window. */
const textCallCharacters = 1_000_000;
const textWindowCharacters = 32_000_000;

/** Composes the rooms of one family. */
export function createFamilyWorker(params: FamilyWorkerParams): FamilyWorker {
  const { family, config, workerId, keys, log, metrics, laneCount, noteCall } = params;
  const setup = {
    family,
    modelsDir: config.MODELS_DIR,
    threads: config.INFERENCE_THREADS,
    passTokens: config.INFERENCE_BATCH_TOKENS,
    plugins: config.MILLRACE_PLUGINS,
  };
  const lanes = new Lanes({ setup, count: laneCount, log, metrics });
  const batcher = new Batcher<QueuedItem>({
    limits: batchLimits(family, config),
    agingMs: config.AGING_BOUND,
    now: Date.now,
  });
  const onWindow = () => puller.updateWindow();
  const onCallEnd = () => puller.lookForUrgent();
  const dispatcher = new Dispatcher({ family, workerId, batcher, lanes, log, metrics, onWindow, onCallEnd, noteCall });
  const index = new IndexWriter(new TaskIndex(params.redis, keys), family, log);
  const puller: Puller = new Puller({
    ...params,
    prefix: config.MILLRACE_PREFIX,
    prioritizedKey: keys.bull(family, 'prioritized'),
    batcher,
    dispatcher,
    index,
    window: () => windowLimits(family, config, lanes.count),
  });
  const watchdog = createWatchdog(params, puller);
  return {
    family,
    lanes,
    puller,
    batcher,
    start: async () => {
      await dispatcher.start();
      puller.start();
      watchdog.start();
    },
    close: async () => {
      watchdog.close();
      await puller.close(config.SHUTDOWN_GRACE);
      await index.close();
      await lanes.close();
    },
  };
}

function batchLimits(family: Family, config: WorkerConfig): BatchLimits {
  const common = { items: config.BATCH_ITEMS, waitMs: config.BATCH_WAIT };
  if (family === 'inference') return { ...common, cost: config.INFERENCE_CALL_TOKENS, padded: true };
  return { ...common, cost: textCallCharacters, padded: false };
}

function windowLimits(family: Family, config: WorkerConfig, lanes: number): WindowLimits {
  const items = config.WINDOW_ITEMS * Math.max(1, lanes);
  if (family === 'inference') return { items, cost: config.WINDOW_TOKENS * Math.max(1, lanes) };
  return { items, cost: textWindowCharacters };
}

function createWatchdog({ family, redis, keys, log, metrics }: FamilyWorkerParams, puller: Puller): FetchWatchdog {
  return new FetchWatchdog({
    family,
    log,
    metrics,
    now: Date.now,
    hasRoom: () => puller.hasRoom,
    lastFetchAt: () => puller.lastFetchAt,
    workWaits: async () => {
      const [prioritized, wait, paused] = await Promise.all([
        redis.zcard(keys.bull(family, 'prioritized')),
        redis.llen(keys.bull(family, 'wait')),
        redis.hexists(keys.bull(family, 'meta'), 'paused'),
      ]);
      return paused === 0 && prioritized + wait > 0;
    },
    heal: () => puller.reopen(),
  });
}
