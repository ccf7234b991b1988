import { setMaxListeners } from 'node:events';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { check } from './check.mjs';
import { prefix, startFleet } from './fleet.mjs';
import { countUnfinished } from './jobs.mjs';
import { Ledger } from './ledger.mjs';
import { directVectors } from './model.mjs';
import { heal, rage } from './nemesis.mjs';
import { pause, until } from './pause.mjs';
import { produce } from './producers.mjs';
import { createRandom } from './random.mjs';
import { openRedis } from './redis.mjs';
import { CountsWatch } from './watch/counts.mjs';
import { DeathWatch } from './watch/deaths.mjs';
import { EndWatch } from './watch/ends.mjs';
import { GhostWatch } from './watch/ghosts.mjs';
import { makeWorkload } from './workload.mjs';

/** @typedef {import('./options.mjs').Options} Options */
/**
 * @typedef {object} RunParams
 * @property {Options} options
 * @property {import('../bench/closers.mjs').Closers} closers
 * @property {AbortSignal} signal
 * @property {string} folder for logs and Redis's data
 * @property {string} binary of Redis
 * @property {(text: string) => void} say
 */
/** @typedef {Awaited<ReturnType<typeof openMill>>} OpenMill */

/** Producers are done a little before the faults are. */
const producing = 0.85;
const warmWithinMs = 120_000;
/** Nothing has ended for so long: it never will. */
const standstillMs = 60_000;
/** A dead worker's tasks are back with others within 10 to 20 s: DESIGN's promise. */
const backWithinMs = 20_000;
const answerWithinMs = 10_000;

/**
 * One run: everything is started, tasks are sent while the nemesis is at work, it is healed, and all is checked.
 *
 * @param {RunParams} params
 * @returns {Promise<import('./report.mjs').Facts>}
 */
export async function runChaos(params) {
  const { options, say, signal, folder } = params;
  const workload = makeWorkload({ seed: options.seed, count: options.tasks, spanMs: options.troubleMs * producing });
  say('computing what is right …');
  const vectors = await directVectors(workload.pool);
  const mill = await openMill(params);
  await until(() => isWarm(mill), { what: 'workers and API ready', withinMs: warmWithinMs, signal });
  say(`${options.workers} workers and ${options.apis} APIs are up`);
  const ledger = new Ledger();
  const watches = startWatches(mill, { ledger, signal });
  const struck = await trouble(mill, { params, workload, ledger, deaths: watches.deaths });
  await untilEnded(mill, params);
  await watches.stop();
  const { redis, keys, apiUrls } = mill;
  say('checking …');
  const common = { ledger, redis, keys, apiUrls, vectors, windows: mill.server.windows };
  const findings = await check({ ...common, ends: watches.ends.ends });
  judge(findings, { watches, ledger });
  const unclean = await mill.fleet.stop();
  for (const text of unclean) say(`  ${text}`);
  const { deaths, counts } = watches;
  return {
    options,
    ledger,
    findings,
    struck,
    deaths: deaths.deaths,
    countReads: counts.reads,
    fleet: mill.fleet,
    redis: mill.server,
    folder,
  };
}

/** @param {RunParams} params */
async function openMill({ options, closers, signal, folder, binary, say }) {
  const server = await openRedis({ kind: options.redis, binary, folder, prefix, signal });
  closers.add(() => server.close());
  const redisUrl = server.appUrl;
  const { workers, apis, verbose } = options;
  const fleet = await startFleet({ redisUrl, workers, apis, folder, say, verbose });
  closers.add(async () => void (await fleet.stop()));
  const redis = connectRedis({ url: server.url, prefix, role: 'producer', name: 'chaos', log: silentLogger() });
  closers.add(() => redis.disconnect());
  const keys = createKeys(prefix);
  const registry = new WorkerRegistry(redis, keys);
  const apiUrls = fleet.apis.map(({ url }) => url);
  return { server, redisUrl, fleet, redis, keys, apiUrls, heartbeats: () => registry.list() };
}

/** @param {OpenMill} mill */
async function isWarm({ fleet, heartbeats }) {
  const all = [...fleet.workers, ...fleet.apis.map(({ process }) => process)];
  return all.every(({ isServing }) => isServing) && (await heartbeats()).length === fleet.workers.length;
}

/**
 * @param {OpenMill} mill
 * @param {{ ledger: Ledger, signal: AbortSignal }} params
 */
function startWatches({ server, fleet, redis, keys, apiUrls, heartbeats }, { ledger, signal }) {
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  signal.addEventListener('abort', () => over.abort());
  const serves = () =>
    server.isUp && (server.proxy?.mode ?? 'pass') === 'pass' && fleet.workers.some(({ isServing }) => isServing);
  const deaths = new DeathWatch({ redis, keys, serves });
  const ends = new EndWatch({ redis, keys });
  const counts = new CountsWatch({ apiUrls, ledger, windows: server.windows, signal: over.signal });
  const ghosts = new GhostWatch({ fleet, deaths, heartbeats, apiUrls, signal: over.signal });
  const running = Promise.all([counts.run(300), ghosts.run()]);
  const stop = async () => {
    over.abort();
    await running;
    await ghosts.look();
    await ends.catchUp();
    deaths.close();
    ends.close();
  };
  return { deaths, ends, counts, ghosts, stop };
}

/**
 * Producers and the nemesis, side by side; in the end all is healed.
 *
 * @param {OpenMill} mill
 * @param {{ params: RunParams, workload: import('./workload.mjs').Workload, ledger: Ledger, deaths: DeathWatch }} parts
 */
async function trouble(mill, { params, workload, ledger, deaths }) {
  const { options, say, signal } = params;
  const { fleet, server, heartbeats, apiUrls, redisUrl } = mill;
  const random = createRandom(options.seed + 1);
  const field = { random, fleet, redis: server, deaths, heartbeats, calm: signal, short: options.short };
  const production = produce({ tasks: workload.tasks, ledger, apiUrls, redisUrl, signal });
  const { faults: kinds, troubleMs, short: once } = options;
  const struck = await rage({ field, kinds, troubleMs, once, say });
  await heal(field);
  say('healed');
  await production;
  return struck;
}

/**
 * @param {OpenMill} mill
 * @param {RunParams} params
 */
async function untilEnded({ redis, keys }, { say, signal }) {
  let least = Number.POSITIVE_INFINITY;
  let movedAt = Date.now();
  // Commands that were held up on the way may still arrive: it must be empty twice.
  for (let empty = 0; empty < 3 && !signal.aborted; ) {
    const unfinished = await countUnfinished({ redis, keys }).catch(() => Number.POSITIVE_INFINITY);
    empty = unfinished === 0 ? empty + 1 : 0;
    if (unfinished < least) {
      least = unfinished;
      movedAt = Date.now();
    }
    if (Date.now() - movedAt > standstillMs) return say(`${unfinished} tasks do not end`);
    await pause(1000, signal);
  }
}

/**
 * Adds what the watches have seen to what the check has found.
 *
 * @param {import('./check.mjs').Findings} findings
 * @param {{ watches: ReturnType<typeof startWatches>, ledger: Ledger }} seen
 */
function judge({ sins }, { watches, ledger }) {
  const { deaths, counts, ghosts } = watches;
  sins.miscounts.push(...counts.faults);
  sins.ghosts.push(...ghosts.ghosts);
  for (const { life, gone, backMs, clockMs } of deaths.deaths) {
    if (backMs > backWithinMs) sins.late.push(`tasks of worker ${life.workerId} were back after ${backMs} ms`);
    if (gone.size > 0) sins.late.push(`${gone.size} tasks of worker ${life.workerId} never came back (${clockMs} ms)`);
  }
  if (ledger.longestAnswerMs > answerWithinMs) {
    sins.late.push(`a producer waited ${Math.round(ledger.longestAnswerMs)} ms for an answer`);
  }
}
