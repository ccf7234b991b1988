import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { CallRecord, CrashFacts } from '@millrace/shared/redis/call-records';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import { TaskIndex } from '@millrace/shared/redis/task-index';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { embed } from '@millrace/shared/tasks/inference/embed';
import type { Door } from '@millrace/shared/tasks/parse';
import type { Family } from '@millrace/shared/tasks/task';
import { Batcher } from './batch/batcher.ts';
import type { BatchLimits } from './batch/close-rule.ts';
import { Lanes } from './compute/lanes.ts';
import type { LoadedModel } from './compute/protocol.ts';
import type { WorkerConfig } from './config.ts';
import { FetchWatchdog } from './fetch-watchdog.ts';
import { IndexWriter } from './index-writer.ts';
import { ModelGate } from './model-gate.ts';
import type { ModelStore } from './models/model-store.ts';
import type { Preparer } from './preparing.ts';
import { Dispatcher } from './process/dispatcher.ts';
import { KnownValues, type LoadedSource, type ValueStores } from './process/known-values.ts';
import type { QueuedItem } from './process/queued-item.ts';
import { SameItems } from './process/same-items.ts';
import { Puller, type WindowLimits } from './pull.ts';
import type { Settler } from './settle.ts';
import type { TaskTraces } from './tracing/task-traces.ts';
import { WebhookNotes } from './webhook-notes.ts';

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
  readonly preparer: Preparer;
  /** Undefined while traces are off. */
  readonly traces: TaskTraces | undefined;
  readonly store: ModelStore;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Where computed values are kept, of all families. */
  readonly values: ValueStores;
  /** Lanes to begin with. */
  readonly laneCount: number;
  readonly isCancelled: (ref: TaskRef) => boolean;
  readonly judge: (ref: TaskRef) => Promise<CrashFacts>;
  readonly noteCall: (place: string, call: CallRecord) => void;
}

/** Characters of text in one call to a text lane, and in its window. */
const textCallCharacters = 1_000_000;
const textWindowCharacters = 32_000_000;

/** Points to write and queries to answer in one call to a vector lane, and in its window. */
const vectorCallPoints = 1000;
const vectorWindowPoints = 16_000;

/** Composes the rooms of one family. */
export function createFamilyWorker(params: FamilyWorkerParams): FamilyWorker {
  const { family, config, workerId, keys, log, metrics, noteCall, traces } = params;
  setFirstValues(params);
  const lanes = createLanes(params);
  const batcher = new Batcher<QueuedItem>({
    limits: batchLimits(family, config),
    agingMs: config.AGING_BOUND,
    now: Date.now,
  });
  const onWindow = () => puller.updateWindow();
  const onCallEnd = () => puller.lookForUrgent();
  const { same, onLaneStart } = createSameItems(params, { lanes, batcher, onLookedUp: () => dispatcher.pump() });
  const dispatcher: Dispatcher = new Dispatcher({
    ...{ family, workerId, batcher, same, lanes, log, metrics, noteCall },
    ...{ onWindow, onCallEnd, onLaneStart },
  });
  const index = new IndexWriter(new TaskIndex(params.redis, keys), family, log);
  const puller: Puller = new Puller({
    ...params,
    settler: traces?.settling(params.settler) ?? params.settler,
    preparer: traces?.preparing(params.preparer) ?? params.preparer,
    prefix: config.MILLRACE_PREFIX,
    prioritizedKey: keys.bull(family, 'prioritized'),
    batcher,
    dispatcher: new ModelGate(dispatcher, params.store),
    index,
    webhooks: new WebhookNotes(new PendingWebhooks(params.redis, keys), log),
    window: () => withoutPending(windowLimits(family, config, lanes.count), same),
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

/** What alerts wait for is there from the start, as 0: Prometheus sees no increase in a counter that comes as 1. */
function setFirstValues({ family, metrics }: FamilyWorkerParams): void {
  metrics.count('millrace_tasks_recovered_total', { family }, 0);
  for (const reason of ['died', 'recycled']) metrics.count('millrace_lane_restarts_total', { family, reason }, 0);
}

function createLanes({ family, config, laneCount, log, metrics }: FamilyWorkerParams): Lanes {
  const setup = {
    family,
    modelsDir: config.MODELS_DIR,
    modelMemory: config.MODEL_MEMORY,
    threads: config.INFERENCE_THREADS,
    nice: config.LANE_NICE,
    passTokens: config.INFERENCE_BATCH_TOKENS,
    plugins: config.MILLRACE_PLUGINS,
    vector: {
      redisUrl: config.REDIS_URL,
      prefix: config.MILLRACE_PREFIX,
      memoryBytes: config.VECTOR_MEMORY,
      snapshotsDir: config.SNAPSHOTS_DIR,
    },
    logLevel: config.LOG_LEVEL,
  };
  // A vector lane holds indexes: it is as large as they are, and the next would have to load them again.
  const memoryLimit = family === 'vector' ? 0 : config.LANE_MEMORY;
  return new Lanes({ setup, count: laneCount, memoryLimit, log, metrics });
}

interface SameItemsRooms {
  readonly lanes: Lanes;
  readonly batcher: Batcher<QueuedItem>;
  readonly onLookedUp: () => void;
}

function createSameItems(
  { values, metrics }: FamilyWorkerParams,
  { lanes, batcher, onLookedUp }: SameItemsRooms,
): { same: SameItems; onLaneStart: () => void } {
  const known = new KnownValues(values);
  const same = new SameItems({ batcher, known, metrics, now: Date.now, onLookedUp });
  return { same, onLaneStart: () => known.renew(embed, lanes.models.flatMap(loadedSources)) };
}

/** A lane says what it made of a model when nothing else is asked for. */
function loadedSources({ name, fingerprint }: LoadedModel): LoadedSource[] {
  const { items, keeping } = embed;
  return items({ texts: [''], model: name }).flatMap((item) =>
    keeping === undefined ? [] : [{ source: keeping.source(item), fingerprint }],
  );
}

/** Items that are being looked up may come to the batcher, all at once. */
function withoutPending({ items, cost }: WindowLimits, { pending }: SameItems): WindowLimits {
  return { items: items - pending.items, cost: cost - pending.cost };
}

function batchLimits(family: Family, config: WorkerConfig): BatchLimits {
  const common = { items: config.BATCH_ITEMS, waitMs: config.BATCH_WAIT };
  if (family === 'inference') return { ...common, cost: config.INFERENCE_CALL_TOKENS, padded: true };
  if (family === 'vector') return { ...common, cost: vectorCallPoints, padded: false };
  return { ...common, cost: textCallCharacters, padded: false };
}

function windowLimits(family: Family, config: WorkerConfig, lanes: number): WindowLimits {
  const items = config.WINDOW_ITEMS * Math.max(1, lanes);
  if (family === 'inference') return { items, cost: config.WINDOW_TOKENS * Math.max(1, lanes) };
  if (family === 'vector') return { items, cost: vectorWindowPoints };
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
