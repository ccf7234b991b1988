import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Mill, openMill } from '@millrace/client/mill';
import { toMillraceError } from '@millrace/shared/errors';
import { Closers } from '@millrace/shared/lifecycle';
import type { Logger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import { loadPlugins } from '@millrace/shared/plugins';
import { checkRedis } from '@millrace/shared/redis/check-redis';
import type { Redis } from '@millrace/shared/redis/connection';
import { createDuties } from '@millrace/shared/sweep/duties';
import { type Duty, Sweeper } from '@millrace/shared/sweep/sweeper';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import type { Door } from '@millrace/shared/tasks/parse';
import type { Tracing } from '@millrace/shared/tracing';
import { buildApp } from './app.ts';
import { Keyring } from './auth/keyring.ts';
import { makeOwnKey, storeOwnKey } from './auth/own-key.ts';
import { reachOf } from './auth/reach.ts';
import type { ApiConfig } from './config.ts';
import { setFirstValues } from './metrics/first-values.ts';
import { watchProcess } from './metrics/process-watch.ts';
import { OverviewFeed } from './overview/overview-feed.ts';
import { overviewReader } from './overview/read-overview.ts';
import { openRuns } from './runs/open-runs.ts';
import type { ApiServer } from './server.ts';
import { TaskWaits } from './task-waits.ts';
import { openWebhooks, webhookPolicyOf } from './webhooks/open-webhooks.ts';

/** An API, ready to listen. */
export interface Api {
  readonly app: ApiServer;
  readonly mill: Mill;
  /** Resolves when Redis has answered and will do; rejects with MillraceError REDIS_EVICTS or CONFIG_INVALID (too old). */
  readonly redisChecked: Promise<void>;
  /** Ends waits, requests, then the connections to Redis; in order, each within its time. May be called twice. */
  close(): Promise<void>;
}

interface ApiParams {
  readonly config: ApiConfig;
  readonly log: Logger;
  /** Says something to a person rather than to the log: a key that must not be kept in a file. */
  readonly tell: (line: string) => void;
  /** Left out while traces are off. */
  readonly tracing?: Tracing | undefined;
}

const retryMs = 500;

/**
 * Composes an API. It serves before Redis is up: what needs Redis answers 503 until then.
 * @throws MillraceError CONFIG_INVALID when a plugin does not load.
 */
export async function openApi({ config, log, tell, tracing }: ApiParams): Promise<Api> {
  const { taskTypes } = await loadPlugins(config.MILLRACE_PLUGINS);
  const closers = new Closers(log);
  const door = { catalog: createCatalog(taskTypes), limits: config.TASK_LIMITS };
  const mill = openMillOf({ config, log, door, tracing });
  closers.add('mill', () => mill.close());
  const metrics = new Metrics();
  setFirstValues(metrics);
  const { files, batches, engine, webhooks } = openBackground({ mill, door, config, metrics, log, closers });
  closers.add('process watch', watchProcess(metrics));
  const keyring = Keyring.from(config);
  const waits = new TaskWaits();
  const overview = new OverviewFeed({
    read: overviewReader({
      ...{ mill, batches, drainTargetMs: config.DRAIN_TARGET, highWater: config.REDIS_HIGH_WATER },
      keys: !keyring.open,
    }),
    now: () => performance.now(),
  });
  const app = await buildApp(
    {
      mill,
      door,
      metrics,
      keyring,
      reach: reachOf(config, keyring),
      hidePayloads: config.BOARD_HIDE_PAYLOADS === 'true',
      waits,
      files,
      batches,
      webhooks,
      overview,
      tracing,
      bodyLimit: config.BODY_LIMIT,
      drainTargetMs: config.DRAIN_TARGET,
    },
    log,
  );
  engine.start();
  // Reverse order: first all requests may end, then whoever still holds a connection loses it.
  closers.add('connections', () => app.server.closeAllConnections());
  closers.add('requests', () => app.close(), config.SHUTDOWN_GRACE);
  return { app, mill, redisChecked: meetRedis({ mill, keyring, log, tell }), close: () => closers.close() };
}

interface BackgroundParams {
  readonly mill: Mill;
  readonly door: Door;
  readonly config: ApiConfig;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly closers: Closers;
}

/** What goes on without requests: runs, webhooks, and what is swept. */
function openBackground({ closers, ...params }: BackgroundParams) {
  const { mill, config, log } = params;
  const webhooks = openWebhooks({ ...params, redis: mill.redis, keys: mill.keys });
  if (webhooks !== undefined) closers.add('webhooks', () => webhooks.close());
  const { duties, ...runs } = openRuns(params);
  closers.add('runs', () => runs.engine.close());
  const sweeper = openSweeper(mill, config, { log, duties: [...duties, ...(webhooks?.duties ?? [])] });
  closers.add('sweeper', () => sweeper.close());
  return { ...runs, webhooks };
}

function openMillOf({
  config,
  log,
  door,
  tracing,
}: Pick<ApiParams, 'config' | 'log' | 'tracing'> & { door: Door }): Mill {
  return openMill({
    redisUrl: config.REDIS_URL,
    prefix: config.MILLRACE_PREFIX,
    door,
    bounds: { maxWaiting: config.MAX_WAITING, highWater: config.REDIS_HIGH_WATER },
    webhooks: webhookPolicyOf(config),
    log,
    name: 'millrace:api',
    telemetry: tracing?.telemetry,
  });
}

function openSweeper(
  { redis, keys, queues }: Mill,
  config: ApiConfig,
  { log, duties: others }: { log: Logger; duties: readonly Duty[] },
): Sweeper {
  const duties = createDuties({
    redis,
    keys,
    queues,
    agingMs: config.AGING_BOUND,
    highWater: config.REDIS_HIGH_WATER,
  });
  const sweeper = new Sweeper({ redis, keys, holder: `api-${randomUUID()}`, duties: [...duties, ...others], log });
  sweeper.start();
  return sweeper;
}

interface Meeting {
  readonly mill: Mill;
  readonly keyring: Keyring;
  readonly log: Logger;
  readonly tell: (line: string) => void;
}

/** What waits for Redis' first answer: whether it will do, and the key that lies in it. */
async function meetRedis({ mill, keyring, log, tell }: Meeting): Promise<void> {
  await onceItAnswers(mill.redis, () => checkRedis(mill.redis, log));
  if (!keyring.pending) return;
  const made = makeOwnKey();
  const { hash, isOurs } = await onceItAnswers(mill.redis, () => storeOwnKey(mill.redis, mill.keys.adminKey, made));
  keyring.learn([{ name: 'own', scope: 'admin', hash }]);
  if (isOurs)
    tell(`Millrace made an admin key, shown only now: ${made.key} (send it as \`Authorization: Bearer KEY\`)`);
  else
    log.info(
      { event: 'key.known' },
      `the admin key made at the first start holds; delete ${mill.keys.adminKey} in Redis to get another`,
    );
}

/** Does something as soon as Redis answers, and again if it goes away over it. */
async function onceItAnswers<T>(redis: Redis, act: () => Promise<T>): Promise<T> {
  for (;;) {
    if (redis.status !== 'ready') await new Promise<void>((resolve) => void redis.once('ready', resolve));
    try {
      return await act();
    } catch (error) {
      if (toMillraceError(error).code !== 'REDIS_UNAVAILABLE') throw error;
      await sleep(retryMs, undefined, { ref: false });
    }
  }
}
