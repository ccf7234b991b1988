import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { Closers } from '@millrace/shared/lifecycle';
import type { Logger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import { loadPlugins } from '@millrace/shared/plugins';
import { openQueue, type TaskQueue } from '@millrace/shared/queues';
import { CallRecords } from '@millrace/shared/redis/call-records';
import { Cancellations } from '@millrace/shared/redis/cancellations';
import { checkRedis } from '@millrace/shared/redis/check-redis';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis, type Redis } from '@millrace/shared/redis/connection';
import { createKeys, type Keys } from '@millrace/shared/redis/keys';
import { ResultStore } from '@millrace/shared/redis/results';
import { TaskIndex } from '@millrace/shared/redis/task-index';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { createDuties } from '@millrace/shared/sweep/duties';
import { Sweeper } from '@millrace/shared/sweep/sweeper';
import { type Catalog, createCatalog, taskTypesOf } from '@millrace/shared/tasks/catalog';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { Door } from '@millrace/shared/tasks/parse';
import { type Family, families } from '@millrace/shared/tasks/task';
import type { Tracing } from '@millrace/shared/tracing';
import { CachedValues } from './cached-values.ts';
import { CancelWatch } from './cancel-watch.ts';
import { Children } from './children.ts';
import { usableCores } from './compute/cores.ts';
import { laneShare } from './compute/lane-share.ts';
import { machineId } from './compute/machine.ts';
import type { WorkerConfig } from './config.ts';
import { createDescriber } from './describe.ts';
import { createFamilyWorker, type FamilyWorker } from './family.ts';
import { Heartbeat } from './heartbeat.ts';
import { Hub } from './models/hub/hub.ts';
import { ModelStore } from './models/model-store.ts';
import { Preparer } from './preparing.ts';
import type { ValueStores } from './process/known-values.ts';
import { RecentValues } from './process/recent-values.ts';
import { RecentOutcomes } from './recent-outcomes.ts';
import { Settler } from './settle.ts';
import { TaskTraces } from './tracing/task-traces.ts';

/** A worker, as its process starts and ends it. */
interface WorkerProcess {
  /**
   * Connects (Redis may come up later), checks Redis, warms the lanes, then pulls.
   * @throws MillraceError REDIS_EVICTS, LANE_FAILED, CONFIG_INVALID.
   */
  start(): Promise<void>;
  /** Gives back what has not begun, ends what has, and closes everything in reverse order. */
  close(): Promise<void>;
}

/** What needs no more than a word with Redis is closed within so long, for Redis may be away; ms. */
const wordMs = 1000;

/** `<host>-<pid>-<random>`: unlike any other that was or will be. */
export function newWorkerId(): string {
  return `${os.hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`;
}

/** What a worker is made of; `tracing`: undefined while traces are off. */
interface WorkerParams {
  readonly id: string;
  readonly config: WorkerConfig;
  readonly log: Logger;
  readonly tracing: Tracing | undefined;
}

/** Makes a worker that is to be started; it may be closed at any time, also while it starts. */
export function createWorker(params: WorkerParams): WorkerProcess {
  const closers = new Closers(params.log);
  return { start: () => compose({ ...params, closers }), close: () => closers.close() };
}

/** What the rooms of a worker share. */
interface Ground extends WorkerParams {
  readonly closers: Closers;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly metrics: Metrics;
  readonly registry: WorkerRegistry;
  readonly catalog: Catalog;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly store: ModelStore;
}

async function compose(params: WorkerParams & Pick<Ground, 'closers'>): Promise<void> {
  const { id, config, log, closers } = params;
  const redis = openConnection({ config, log, closers }, 'worker', id);
  await checkRedis(redis, log);
  const keys = createKeys(config.MILLRACE_PREFIX);
  const registry = new WorkerRegistry(redis, keys);
  const catalog = createCatalog((await loadPlugins(config.MILLRACE_PLUGINS)).taskTypes);
  const queues = openQueues({ ...params, redis });
  const store = await openStore(config, log);
  const ground: Ground = {
    ...{ ...params, redis, keys, registry, catalog, queues, store },
    metrics: new Metrics(),
  };

  startSweeper(ground);
  const workers = await createFamilies(ground);
  const heartbeat = createHeartbeat(ground, workers);
  closers.add('heartbeat', () => heartbeat.close(), wordMs);
  // A family needs its grace period and some time to give back the rest.
  closers.add('families', () => closeAll(workers), config.SHUTDOWN_GRACE + 5000);
  // A task that is pulled belongs to a worker that is known to live.
  await heartbeat.start();
  await Promise.all(workers.map((worker) => worker.start()));
  await heartbeat.beat();
}

/** How long the hub that models come from may be silent; ms. */
const hubPatienceMs = 15_000;

async function openStore(config: WorkerConfig, log: Logger): Promise<ModelStore> {
  const { MODELS_DIR: modelsDir, MODEL_HUB: url, ALLOW_REMOTE_MODELS: allowed } = config;
  const hub = new Hub({ url, patienceMs: hubPatienceMs });
  const store = new ModelStore({ modelsDir, hub, allowed, log, now: Date.now });
  await store.look();
  return store;
}

function openConnection(
  { config, log, closers }: Pick<Ground, 'config' | 'log' | 'closers'>,
  role: 'worker' | 'blocking' | 'producer',
  name: string,
): Redis {
  const redis = connectRedis({
    ...{ url: config.REDIS_URL, prefix: config.MILLRACE_PREFIX, role, log },
    name: `millrace:worker:${name}`,
  });
  closers.add(`redis ${name}`, () => disconnectRedis(redis));
  return redis;
}

async function closeAll(workers: readonly FamilyWorker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.close()));
}

/** Makes the worker's families; none pulls before it is started. */
async function createFamilies(ground: Ground): Promise<FamilyWorker[]> {
  const { id, config, log, redis, keys, metrics, registry, catalog, store, tracing } = ground;
  const door = { catalog, limits: config.TASK_LIMITS };
  const watch = openCancelWatch(ground, (family, jobIds) =>
    workers.find((worker) => worker.family === family)?.puller.cancel(jobIds),
  );
  const recorder = openRecorder(ground);
  const records = new CallRecords(redis, keys);
  const results = new ResultStore(redis, keys);
  const preparer = createPreparer(ground, door, results);
  const onCancelled = (ref: TaskRef) => watch.fulfilled(ref);
  const outcomes = new RecentOutcomes({ results, redis, keys, log, now: () => performance.now() });
  const settler = new Settler({ redis, keys, results: outcomes, metrics, workerId: id, onCancelled });
  const ours = config.FAMILIES.filter((family) => taskTypesOf(door.catalog, family).length > 0);
  const values = openValues(ground);
  const traces = tracing === undefined ? undefined : new TaskTraces({ tracing, workerId: id });
  const laneCounts = await Promise.all(ours.map((family) => laneCount(ground, family)));
  const workers = ours.map((family, index) =>
    createFamilyWorker({
      ...{ family, config, workerId: id, redis, keys, door, settler, preparer, store, log, metrics, values, traces },
      laneCount: laneCounts[index] ?? 1,
      isCancelled: (ref) => watch.isCancelled(ref),
      judge: async (ref) => {
        metrics.count('millrace_tasks_recovered_total', { family });
        return await records.judge(ref, await livingWorkers(id, registry));
      },
      // While Redis is away nothing can be noted; the call goes on, and its end waits for Redis in any case.
      noteCall: (place, call) => void recorder.begin(id, place, call).catch(() => {}),
    }),
  );
  watch.start();
  return workers;
}

function openCancelWatch(ground: Ground, onCancel: (family: Family, jobIds: ReadonlySet<string>) => void): CancelWatch {
  const { id, config, log, closers, redis, keys } = ground;
  const watch = new CancelWatch({
    cancellations: new Cancellations(redis, keys),
    subscriber: openConnection(ground, 'blocking', `${id}:cancel`),
    families: config.FAMILIES,
    ...{ keys, log, onCancel },
  });
  closers.add('cancel watch', () => watch.close());
  return watch;
}

/** Sends at once, unlike the connection that joins commands: a record must leave before its call does. */
function openRecorder(ground: Ground): CallRecords {
  const { id, closers, keys } = ground;
  const recorder = new CallRecords(openConnection(ground, 'blocking', `${id}:calls`), keys);
  closers.add('call records', () => recorder.clear(id), wordMs);
  return recorder;
}

function createPreparer(ground: Ground, door: Door, results: ResultStore): Preparer {
  const { redis, keys } = ground;
  return new Preparer({
    collections: new Collections(redis, keys),
    children: new Children({ ...ground, results, now: Date.now }),
    index: new TaskIndex(redis, keys),
    ...{ keys, door },
  });
}

/** Where computed values are kept: by this worker, and by all for each other. */
function openValues(ground: Ground): ValueStores {
  const { id, config, log, keys, metrics } = ground;
  const recent = new RecentValues(config.SAME_TEXT_MEMORY);
  if (config.RESULT_CACHE === 0) return { recent, shared: undefined };
  const shared = new CachedValues({
    // Of its own: hundreds of kilobytes must not stand before the renewal of a lock.
    redis: openConnection(ground, 'producer', `${id}:cache`),
    keys,
    bounds: { bytes: config.RESULT_CACHE, ttlMs: config.RESULT_CACHE_TTL },
    highWater: config.REDIS_HIGH_WATER,
    ...{ metrics, log, now: Date.now },
  });
  return { recent, shared };
}

async function livingWorkers(id: string, registry: WorkerRegistry): Promise<ReadonlySet<string>> {
  return new Set([id, ...(await registry.list()).map((worker) => worker.id)]);
}

/** How many lanes a family has now: inference shares the machine's cores with other workers, text has what is set. */
async function laneCount({ id, config, registry }: Ground, family: Family): Promise<number> {
  // A second lane would hold every collection again.
  if (family === 'vector') return 1;
  if (family === 'text') return config.TEXT_LANES;
  if (config.INFERENCE_LANES !== undefined) return config.INFERENCE_LANES;
  const workers = (await registry.list()).filter(({ families }) => families.includes('inference'));
  return laneShare(id, { machine: machineId(), cores: usableCores() }, workers);
}

function createHeartbeat(ground: Ground, workers: readonly FamilyWorker[]): Heartbeat {
  const { id, config, log, metrics, registry, catalog, store } = ground;
  const describe = createDescriber({
    id,
    version: '0.1.0',
    machine: machineId(),
    cores: usableCores(),
    fixedLanes: config.INFERENCE_LANES ?? null,
    types: workers.flatMap(({ family }) => taskTypesOf(catalog, family).map(({ type }) => type)),
    store,
    workers,
    metrics,
  });
  const afterBeat = async () => {
    await store.look();
    for (const { family, lanes } of workers) {
      const count = await laneCount(ground, family);
      if (count === lanes.count) continue;
      log.info(
        { event: 'lanes.resized', family, from: lanes.count, to: count },
        'workers of this machine share its cores',
      );
      lanes.resize(count);
    }
  };
  return new Heartbeat({ registry, metrics, log, describe, afterBeat });
}

/** Of every family, whatever the worker works for: who has the lease of a duty does it for all, and children go anywhere. */
function openQueues({
  config,
  log,
  closers,
  redis,
  tracing,
}: Pick<Ground, 'config' | 'log' | 'closers' | 'redis' | 'tracing'>): ReadonlyMap<Family, TaskQueue> {
  const queues = new Map(
    families.map((family) => [
      family,
      openQueue({ family, redis, prefix: config.MILLRACE_PREFIX, log, telemetry: tracing?.telemetry }),
    ]),
  );
  closers.add(
    'queues',
    async () => void (await Promise.all([...queues.values()].map((queue) => queue.close()))),
    wordMs,
  );
  return queues;
}

function startSweeper({ id, config, log, closers, redis, keys, queues }: Ground): void {
  const duties = createDuties({ redis, keys, queues, agingMs: config.AGING_BOUND, highWater: config.REDIS_HIGH_WATER });
  const sweeper = new Sweeper({ redis, keys, holder: id, duties, log });
  closers.add('sweeper', () => sweeper.close(), wordMs);
  sweeper.start();
}
