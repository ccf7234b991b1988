import type { Mill } from '@millrace/client/mill';
import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import { FileIndex } from '@millrace/shared/redis/files';
import { Runs } from '@millrace/shared/redis/runs';
import type { Duty } from '@millrace/shared/sweep/sweeper';
import type { Door } from '@millrace/shared/tasks/parse';
import type { ApiConfig } from '../config.ts';
import { fileRetentionDuty, orphanDuty } from '../files/file-duties.ts';
import { Files } from '../files/files.ts';
import { openFileStore } from '../files/open-file-store.ts';
import { Batches } from './batches.ts';
import { RunEngine } from './run-engine.ts';

interface OpenRunsParams {
  readonly mill: Mill;
  readonly door: Door;
  readonly config: ApiConfig;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** All that an API has of files and runs. */
export interface RunSide {
  readonly files: Files;
  readonly batches: Batches;
  readonly engine: RunEngine;
  /** What is swept for them in the background. */
  readonly duties: Duty[];
}

/** Opens files and runs; nothing is driven before the engine starts. @throws MillraceError CONFIG_INVALID. */
export function openRuns({ mill, door, config, metrics, log }: OpenRunsParams): RunSide {
  const { redis, keys } = mill;
  const now = Date.now;
  const { FILES_TTL: ttlMs, FILE_LIMIT: limit } = config;
  const store = openFileStore(config);
  const files = new Files({ store, index: new FileIndex(redis, keys), ttlMs, limit, now });
  const runs = new Runs(redis, keys);
  const engine = new RunEngine({
    mill,
    door,
    store,
    files,
    runs,
    windowItems: config.RUN_WINDOW,
    mostLines: config.RUN_LINES,
    longestLine: config.BODY_LIMIT,
    metrics,
    ttlMs,
    now,
    log,
  });
  const batches = new Batches({
    files,
    runs,
    webhooks: mill.webhooks,
    ttlMs,
    now,
    poke: (runId) => engine.poke(runId),
  });
  const swept = { redis, keys, store, now };
  return { files, batches, engine, duties: [fileRetentionDuty(swept), orphanDuty(swept)] };
}
