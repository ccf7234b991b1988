import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { Closers } from '@millrace/shared/lifecycle';
import type { Logger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import { openQueue } from '@millrace/shared/queues';
import { checkRedis } from '@millrace/shared/redis/check-redis';
import { connectRedis, disconnectRedis, type Redis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { ResultStore } from '@millrace/shared/redis/results';
import { type WorkerBeat, WorkerRegistry } from '@millrace/shared/redis/workers';
import { retentionDuty } from '@millrace/shared/sweep/retention';
import { Sweeper } from '@millrace/shared/sweep/sweeper';
import { waitListDuty } from '@millrace/shared/sweep/wait-list';
import { createCatalog, taskTypesOf } from '@millrace/shared/tasks/catalog';
import { taskIdOf } from '@millrace/shared/tasks/ids';
import type { WorkerConfig } from './config.ts';
import { createFamilyWorker, type FamilyWorker } from './family.ts';
import { Heartbeat } from './heartbeat.ts';
import { Settler } from './settle.ts';

/** A running worker. */
export interface RunningWorker {
  readonly id: string;
  /** Gives back what has not begun, ends what has, and closes everything in reverse order. */
  close(): Promise<void>;
}

/** Tasks that a heartbeat lists at most. */
const listedTasks = 256;

/** `<host>-<pid>-<random>`: unlike any other that was or will be. */
export function newWorkerId(): string {
  return `${os.hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`;
}

/**
 * Composes a worker and starts it: connects, checks Redis, warms the lanes, then pulls.
 * @throws MillraceError REDIS_EVICTS, LANE_FAILED; what was opened is closed again.
 */
export async function startWorker(id: string, config: WorkerConfig, log: Logger): Promise<RunningWorker> {
  const closers = new Closers(log);
  try {
    await compose({ id, config, log, closers });
  } catch (error) {
    await closers.close();
    throw error;
  }
  return { id, close: () => closers.close() };
}

interface Composition {
  readonly id: string;
  readonly config: WorkerConfig;
  readonly log: Logger;
  readonly closers: Closers;
}

async function compose({ id, config, log, closers }: Composition): Promise<void> {
  const redis = connectRedis({ url: config.REDIS_URL, role: 'worker', name: `millrace:worker:${id}`, log });
  closers.add('redis', () => disconnectRedis(redis));
  await checkRedis(redis, log);

  const metrics = new Metrics();
  const keys = createKeys(config.MILLRACE_PREFIX);
  const door = { catalog: createCatalog(), limits: config.TASK_LIMITS };
  const settler = new Settler({ redis, keys, results: new ResultStore(redis, keys), metrics, workerId: id });
  const families = config.FAMILIES.filter((family) => taskTypesOf(door.catalog, family).length > 0);
  const workers = families.map((family) =>
    createFamilyWorker({ family, config, workerId: id, redis, door, settler, log, metrics }),
  );

  startSweeper({ id, config, log, closers }, redis);
  const heartbeat = new Heartbeat({
    registry: new WorkerRegistry(redis, keys),
    metrics,
    log,
    describe: describer(id, workers, metrics),
  });
  closers.add('heartbeat', () => heartbeat.close());
  // A family needs its grace period and some time to give back the rest.
  closers.add('families', () => closeAll(workers), config.SHUTDOWN_GRACE + 5000);
  await Promise.all(workers.map((worker) => worker.start()));
  await heartbeat.start();
}

async function closeAll(workers: readonly FamilyWorker[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.close()));
}

function startSweeper({ id, config, log, closers }: Composition, redis: Redis): void {
  const keys = createKeys(config.MILLRACE_PREFIX);
  const queues = new Map(
    config.FAMILIES.map((family) => [family, openQueue({ family, redis, prefix: config.MILLRACE_PREFIX, log })]),
  );
  closers.add('queues', async () => void (await Promise.all([...queues.values()].map((queue) => queue.close()))));
  const duties = [retentionDuty({ redis, keys, queues, now: Date.now }), waitListDuty(queues.values())];
  const sweeper = new Sweeper({ redis, keys, holder: id, duties, log });
  closers.add('sweeper', () => sweeper.close());
  sweeper.start();
}

function describer(id: string, workers: readonly FamilyWorker[], metrics: Metrics): () => WorkerBeat {
  const startedAt = new Date().toISOString();
  const catalog = createCatalog();
  return () => {
    const tasks = workers.flatMap(({ puller }) => puller.tasks);
    for (const { family, batcher, puller } of workers) {
      metrics.set('millrace_batcher_items', { family }, batcher.size);
      metrics.set('millrace_held_tasks', { family }, puller.tasks.length);
    }
    return {
      id,
      host: os.hostname(),
      pid: process.pid,
      version: '0.1.0',
      startedAt,
      beatAt: new Date().toISOString(),
      families: workers.map(({ family }) => family),
      types: workers.flatMap(({ family }) => taskTypesOf(catalog, family).map(({ type }) => type)),
      models: workers.flatMap(({ lanes }) => lanes.models.map((model) => ({ ...model, warm: true }))),
      lanes: workers.flatMap(({ lanes }) => lanes.beats()),
      memory: { rssBytes: process.memoryUsage.rss(), heapUsedBytes: process.memoryUsage().heapUsed },
      held: tasks.length,
      running: tasks.slice(0, listedTasks).map(({ params, callId }) => ({
        id: taskIdOf(params.ref),
        type: params.taskType.type,
        attempt: params.attempt,
        since: new Date(params.pulledAt).toISOString(),
        batch: callId,
      })),
    };
  };
}
