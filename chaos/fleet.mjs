import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../scripts/redis/free-port.mjs';
import { AppProcess } from './app-process.mjs';
import { modelsDir } from './model.mjs';

/** @typedef {import('./app-process.mjs').Life} Life */
/**
 * @typedef {object} Fleet
 * @property {AppProcess[]} workers
 * @property {{ process: AppProcess, url: string }[]} apis
 * @property {string[]} unasked processes that ended by themselves, and how
 * @property {Map<string, number>} warnings what the processes warned of, and how often
 * @property {() => Promise<string[]>} stop gives what did not end well
 */

export const prefix = '{chaos}';

/**
 * Every other worker computes whatever it gets; the rest remember values and keep them for each other, in a cache that is
 * smaller than all texts of the pool. Their vectors must be the same.
 */
const memories = [{ SAME_TEXT_MEMORY: '0' }, { SAME_TEXT_MEMORY: '100000', RESULT_CACHE: '300000' }];

/**
 * Starts workers and APIs; they come up in the background.
 *
 * @param {{ redisUrl: string, workers: number, apis: number, folder: string, say: (text: string) => void, verbose: boolean }} params
 * @returns {Promise<Fleet>}
 */
export async function startFleet({ redisUrl, workers, apis, folder, say, verbose }) {
  /** @type {string[]} */
  const unasked = [];
  /** @type {Map<string, number>} */
  const warnings = new Map();
  const env = { REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix, MODELS_DIR: modelsDir };
  const common = {
    folder,
    /** @type {import('./app-process.mjs').AppParams['onTrouble']} */
    onTrouble: (name, { event, msg, error }) => {
      const kind = event ?? msg ?? '';
      warnings.set(kind, (warnings.get(kind) ?? 0) + 1);
      if (verbose) say(`  ${name}: ${kind} ${error ?? msg ?? ''}`);
    },
    onUnasked: (/** @type {string} */ name, /** @type {string} */ end) => {
      unasked.push(`${name}: ${end}`);
      say(`  ${name} ended by itself: ${end}`);
    },
  };
  const workerParams = { ...common, main: builtApp('worker'), readyEvent: 'worker.started' };
  const workerList = Array.from(
    { length: workers },
    (_, at) =>
      new AppProcess({ ...workerParams, name: `worker-${at}`, env: { ...env, ...memories[at % memories.length] } }),
  );
  const apiList = [];
  for (let at = 0; at < apis; at += 1) {
    const port = await freePort();
    const apiEnv = { ...env, PORT: String(port), HOST: '127.0.0.1', MILLRACE_API_KEYS: '' };
    const apiParams = { ...common, main: builtApp('api'), readyEvent: 'api.listening', env: apiEnv };
    apiList.push({ process: new AppProcess({ ...apiParams, name: `api-${at}` }), url: `http://127.0.0.1:${port}` });
  }
  const all = [...workerList, ...apiList.map(({ process: api }) => api)];
  return { workers: workerList, apis: apiList, unasked, warnings, stop: () => stopAll(all) };
}

/**
 * The life of the worker with an id, dead or alive.
 *
 * @param {Fleet} fleet
 * @param {string} workerId
 * @returns {Life | undefined}
 */
export function lifeOf(fleet, workerId) {
  return fleet.workers.flatMap(({ lives }) => lives).find((life) => life.workerId === workerId);
}

/** @param {AppProcess[]} all */
async function stopAll(all) {
  const ends = await Promise.all(all.map(async (process) => ({ name: process.name, end: await process.stop() })));
  return ends.flatMap(({ name, end }) => (end === 'exit 0' ? [] : [`${name}: ${end} when it was asked to stop`]));
}

/** @param {string} app */
function builtApp(app) {
  const main = fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
  if (!existsSync(main)) throw new Error(`apps/${app}/dist/main.js is not there; build it with: npm run build`);
  return main;
}
