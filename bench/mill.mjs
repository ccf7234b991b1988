import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { freePort } from '../scripts/redis/free-port.mjs';
import { startApp } from './child.mjs';
import { modelName, modelsDir } from './model.mjs';

/** @typedef {import('./contender.mjs').Bench} Bench */

const readyWithinMs = 60_000;
const pollMs = 100;
const noMemory = { SAME_TEXT_MEMORY: '0', RESULT_CACHE: '0' };

/**
 * Starts a worker as it comes, with as many lanes as the ceiling has processes, and waits until its model is warm. It remembers
 * nothing: what it is timed for it has computed.
 *
 * @param {Bench} bench
 * @param {string} prefix
 */
export async function startWorker(bench, prefix) {
  const failed = startApp(
    builtApp('worker'),
    { ...appEnv(bench, prefix), FAMILIES: 'inference', INFERENCE_LANES: String(bench.cores), ...noMemory },
    bench,
  );
  const redis = connectRedis({ url: bench.redisUrl, role: 'worker', name: 'bench', log: silentLogger() });
  bench.closers.add(() => redis.disconnect());
  const workers = new WorkerRegistry(redis, createKeys(prefix));
  const isWarm = async () =>
    (await workers.list()).some(({ models }) => models.some(({ name, warm }) => name === modelName && warm));
  await Promise.race([until(isWarm, 'the worker', bench.signal), failed]);
}

/**
 * Starts workers that find out themselves which cores are theirs, and waits until they have divided them and are warm.
 *
 * @param {Bench} bench
 * @param {string} prefix
 * @param {number} count
 */
export async function startSharingWorkers(bench, prefix, count) {
  const failed = Array.from({ length: count }, () =>
    startApp(builtApp('worker'), { ...appEnv(bench, prefix), FAMILIES: 'inference', ...noMemory }, bench),
  );
  const redis = connectRedis({ url: bench.redisUrl, role: 'worker', name: 'bench', prefix, log: silentLogger() });
  bench.closers.add(() => redis.disconnect());
  const registry = new WorkerRegistry(redis, createKeys(prefix));
  const lanes = Math.max(count, bench.cores);
  const areReady = async () => {
    const workers = await registry.list();
    const there = workers.flatMap((worker) => worker.lanes).filter(({ state }) => state === 'idle');
    return workers.length === count && there.length === lanes;
  };
  await Promise.race([until(areReady, 'the workers', bench.signal), ...failed]);
}

/**
 * Starts an API and waits until it is ready.
 *
 * @param {Bench} bench
 * @param {string} prefix
 * @returns {Promise<string>} its address
 */
export async function startApi(bench, prefix) {
  const port = await freePort();
  const failed = startApp(
    builtApp('api'),
    { ...appEnv(bench, prefix), PORT: String(port), HOST: '127.0.0.1', MILLRACE_API_KEYS: '' },
    bench,
  );
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await Promise.race([until(isReady, 'the API', bench.signal), failed]);
  return url;
}

/**
 * @param {Bench} bench
 * @param {string} prefix
 */
function appEnv({ redisUrl }, prefix) {
  return { REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix, MODELS_DIR: modelsDir };
}

/** @param {string} app */
function builtApp(app) {
  const main = fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
  if (!existsSync(main)) throw new Error(`${main} is not there; build it with: npx tsc -b apps/${app}`);
  return main;
}

/**
 * @param {() => Promise<boolean>} isSo
 * @param {string} what
 * @param {AbortSignal} signal
 */
async function until(isSo, what, signal) {
  const deadline = performance.now() + readyWithinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} was not ready within ${readyWithinMs / 1000} s`);
    if (signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
