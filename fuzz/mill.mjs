import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppProcess } from '../chaos/app-process.mjs';
import { until } from '../chaos/pause.mjs';
import { freePort } from '../scripts/redis/free-port.mjs';
import { startServer } from '../scripts/redis/server.mjs';

/** @typedef {import('./requests.mjs').Operation} Operation */
/**
 * @typedef {object} FuzzedMill
 * @property {string} redisUrl
 * @property {string} prefix
 * @property {number} port of the API
 * @property {Record<string, string>} keys by scope
 * @property {any} document of OpenAPI
 * @property {any[]} taskTypes
 * @property {string[]} deaths processes that ended by themselves
 * @property {() => Record<string, number>} memory bytes by process
 * @property {() => Promise<number>} workerHeap bytes
 * @property {(path: string, init?: RequestInit) => Promise<any>} ask as admin
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const prefix = '{fuzz}';
const upWithinMs = 120_000;
const keys = { admin: 'fuzz-admin-key', enqueue: 'fuzz-enqueue-key', read: 'fuzz-read-key', wrong: 'nobodys-key' };

/**
 * A Redis, an API with keys, and a worker of all families.
 *
 * @param {import('./run.mjs').FuzzParams} params
 * @returns {Promise<FuzzedMill>}
 */
export async function openMill({ closers, signal, folder, binary }) {
  const server = await startServer({ binary, dir: join(folder, 'redis'), logFile: join(folder, 'redis.log'), signal });
  closers.add(() => server.stop('SIGKILL'));
  const port = await freePort();
  /** @type {string[]} */
  const deaths = [];
  const common = {
    folder,
    onTrouble: () => {},
    onUnasked: (/** @type {string} */ name, /** @type {string} */ end) => void deaths.push(`${name}: ${end}`),
  };
  const env = { REDIS_URL: server.url, MILLRACE_PREFIX: prefix, MODELS_DIR: join(root, 'models'), LOG_LEVEL: 'warn' };
  const settings = { PORT: String(port), MILLRACE_API_KEYS: keySetting(), RATE_LIMIT: '0', ...reach };
  const api = new AppProcess({
    ...common,
    name: 'api',
    main: built('api'),
    readyEvent: 'api.listening',
    env: { ...env, ...settings, LOG_LEVEL: 'info' },
  });
  closers.add(async () => void (await api.stop()));
  const worker = new AppProcess({
    ...common,
    name: 'worker',
    main: built('worker'),
    readyEvent: 'worker.started',
    env: { ...env, INFERENCE_LANES: '1', ...fewMemories, LOG_LEVEL: 'info' },
  });
  closers.add(async () => void (await worker.stop()));
  const processes = [api, worker];
  await until(() => processes.every(({ isServing }) => isServing), {
    what: 'API and worker',
    withinMs: upWithinMs,
    signal,
  });
  /** @type {FuzzedMill['ask']} */
  const ask = async (path, init = {}) => {
    const headers = { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/json' };
    return await (await fetch(`http://127.0.0.1:${port}${path}`, { headers, ...init })).json();
  };
  return {
    ...{ redisUrl: server.url, prefix, port, keys, deaths, ask },
    document: await ask('/openapi.json'),
    taskTypes: (await ask('/v1/task-types')).types,
    workerHeap: async () => (await ask('/v1/workers')).workers[0]?.memory?.heapUsedBytes ?? 0,
    memory: () => Object.fromEntries(processes.map((process) => [process.name, residentBytes(process.life.pid)])),
  };
}

/** What fills up by design would be taken for a leak. */
const fewMemories = { SAME_TEXT_MEMORY: '1000000' };

/** Names and origins are looked at, too. */
const reach = { ALLOWED_HOSTS: 'fuzz.example', CORS_ORIGINS: 'https://app.example' };

function keySetting() {
  const hash = (/** @type {string} */ key) => createHash('sha256').update(key).digest('hex');
  return ['admin', 'enqueue', 'read']
    .map((scope) => `${scope}:${scope}:${hash(keys[/** @type {'admin'} */ (scope)])}`)
    .join(',');
}

/** @param {string} app */
function built(app) {
  return join(root, 'fuzz', 'mains', `${app}.mjs`);
}

/** @param {number} pid @returns {number} 0 where there is no /proc */
function residentBytes(pid) {
  try {
    const kibibytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/**
 * The operations of an OpenAPI document.
 *
 * @param {any} document
 * @returns {Operation[]}
 */
export function operationsOf({ paths }) {
  return Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(/** @type {Record<string, any>} */ (byMethod)).map(
      ([method, { tags = [], parameters = [], requestBody, responses }]) => ({
        method: method.toUpperCase(),
        path,
        isOpenAi: tags.includes('openai'),
        parameters,
        bodies: Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => [type, schema]),
        responses,
      }),
    ),
  );
}
