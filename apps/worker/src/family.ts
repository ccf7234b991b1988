import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Door } from '@millrace/shared/tasks/parse';
import type { Family } from '@millrace/shared/tasks/task';
import { Batcher } from './batch/batcher.ts';
import type { BatchLimits } from './batch/close-rule.ts';
import { usableCores } from './compute/cores.ts';
import { Lanes } from './compute/lanes.ts';
import type { WorkerConfig } from './config.ts';
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
  readonly door: Door;
  readonly settler: Settler;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Characters of text in one call to a text lane, and in its window. */
const textCallCharacters = 1_000_000;
const textWindowCharacters = 32_000_000;

/** Composes the rooms of one family. */
export function createFamilyWorker(params: FamilyWorkerParams): FamilyWorker {
  const { family, config, workerId, log, metrics } = params;
  const tuning = tuningOf(family, config);
  const setup = {
    family,
    modelsDir: config.MODELS_DIR,
    threads: config.INFERENCE_THREADS,
    passTokens: config.INFERENCE_BATCH_TOKENS,
  };
  const lanes = new Lanes({ setup, count: tuning.lanes, log, metrics });
  const batcher = new Batcher<QueuedItem>({ limits: tuning.batch, now: Date.now });
  const dispatcher = new Dispatcher({
    family,
    workerId,
    batcher,
    lanes,
    log,
    metrics,
    onWindow: () => puller.updateWindow(),
  });
  const puller: Puller = new Puller({
    ...params,
    prefix: config.MILLRACE_PREFIX,
    batcher,
    dispatcher,
    window: tuning.window,
  });
  return {
    family,
    lanes,
    puller,
    batcher,
    start: async () => {
      await dispatcher.start();
      puller.start();
    },
    close: async () => {
      await puller.close(config.SHUTDOWN_GRACE);
      await lanes.close();
    },
  };
}

interface Tuning {
  readonly lanes: number;
  readonly batch: BatchLimits;
  readonly window: WindowLimits;
}

function tuningOf(family: Family, config: WorkerConfig): Tuning {
  const common = { items: config.BATCH_ITEMS, waitMs: config.BATCH_WAIT };
  if (family === 'inference') {
    const lanes = config.INFERENCE_LANES ?? usableCores();
    return {
      lanes,
      batch: { ...common, cost: config.INFERENCE_BATCH_TOKENS, padded: true },
      window: { items: config.WINDOW_ITEMS * lanes, cost: config.WINDOW_TOKENS * lanes },
    };
  }
  const lanes = config.TEXT_LANES;
  return {
    lanes,
    batch: { ...common, cost: textCallCharacters, padded: false },
    window: { items: config.WINDOW_ITEMS * lanes, cost: textWindowCharacters },
  };
}
