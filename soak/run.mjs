import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Millrace } from '@millrace/client';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import { startApp } from '../bench/child.mjs';
import { until } from '../chaos/pause.mjs';
import { startServer } from '../scripts/redis/server.mjs';
import { shortHtml, shortText } from './texts.mjs';

/** @typedef {import('./options.mjs').Options} Options */
/** @typedef {import('./curve.mjs').Sample} Sample */
/**
 * @typedef {object} SoakParams
 * @property {Options} options
 * @property {import('../bench/closers.mjs').Closers} closers
 * @property {AbortSignal} signal
 * @property {string} folder for logs and Redis's data
 * @property {string} binary of Redis
 * @property {(text: string) => void} say
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const prefix = '{soak}';
const textsPerTask = 250;
/** Results are read at once: what Redis holds of them must not be taken for a leak. */
const resultTtlMs = 60_000;
const sampleEveryMs = 1000;
const saidEveryMs = 30_000;
const warmWithinMs = 120_000;
const taskWithinMs = 300_000;

/**
 * One run: everything is started, texts are sent with so many tasks under way, and memory is looked at once a second.
 *
 * @param {SoakParams} params
 * @returns {Promise<import('./report.mjs').Facts>}
 */
export async function runSoak(params) {
  const { options, signal, say } = params;
  const parts = await open(params);
  await Promise.race([until(parts.isWarm, { what: 'the worker', withinMs: warmWithinMs, signal }), parts.ended]);
  say('the worker is warm');
  /** @type {Sample[]} */
  const samples = [];
  const feed = new Feed(parts.mill, options, signal);
  let saidAt = performance.now();
  const timer = setInterval(async () => {
    const sample = await parts.sample(feed.done, feed.ms).catch(() => undefined); // Redis closes in the end
    if (sample === undefined) return;
    samples.push(sample);
    if (performance.now() - saidAt < saidEveryMs) return;
    saidAt = performance.now();
    say(`${feed.done.toLocaleString('en')} texts`);
  }, sampleEveryMs);
  try {
    await Promise.race([feed.run(), parts.ended]);
  } finally {
    clearInterval(timer);
  }
  samples.push(await parts.sample(feed.done, feed.ms));
  return { options, samples, failed: feed.failed, restarts: await parts.restarts() };
}

/** @param {SoakParams} params */
async function open({ options, closers, signal, folder, binary }) {
  const server = await startServer({ binary, dir: join(folder, 'redis'), logFile: join(folder, 'redis.log'), signal });
  closers.add(() => server.stop('SIGKILL'));
  const families = new Set(options.kinds.map((kind) => kind.slice(0, kind.indexOf('.'))));
  // Lanes that are replaced when they have grown would hide that they grow.
  const env = { FAMILIES: [...families].join(','), LANE_MEMORY: '0', MODELS_DIR: join(root, 'models') };
  const main = join(root, 'apps/worker/dist/main.js');
  const appEnv = { REDIS_URL: server.url, MILLRACE_PREFIX: prefix, ...env };
  const ended = startApp(main, appEnv, { closers, folder });
  const redis = connectRedis({ url: server.url, role: 'producer', name: 'soak', log: silentLogger() });
  closers.add(() => redis.disconnect());
  const mill = new Millrace({ redisUrl: server.url, prefix });
  closers.add(() => mill.close());
  const registry = new WorkerRegistry(redis, createKeys(prefix));
  const worker = async () => (await registry.list())[0];
  return {
    mill,
    ended,
    isWarm: async () => {
      const lanes = (await worker())?.lanes ?? [];
      return families.size <= new Set(lanes.map(({ family }) => family)).size && lanes.every(isReady);
    },
    restarts: async () => ((await worker())?.lanes ?? []).reduce((sum, lane) => sum + lane.restarts, 0),
    /** @param {number} texts @param {number} ms @returns {Promise<Sample>} */
    sample: async (texts, ms) => {
      const beat = await worker();
      const used = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
      const lanes = (beat?.lanes ?? []).map(({ id, rssBytes }) => [id, rssBytes ?? 0]);
      const { rssBytes: rss = 0, heapUsedBytes: heap = 0 } = beat?.memory ?? {};
      return { texts, ms, bytes: { worker: rss, ...Object.fromEntries(lanes), 'its heap': heap, redis: Number(used) } };
    },
  };
}

/** @param {{ state: string }} lane */
function isReady({ state }) {
  return state === 'idle' || state === 'busy';
}

/** Sends tasks, so many at a time, and counts what has come back. */
class Feed {
  done = 0;
  failed = 0;
  #mill;
  #options;
  #signal;
  #next = 0;
  #startedAt = performance.now();

  /**
   * @param {Millrace} mill
   * @param {Options} options
   * @param {AbortSignal} signal
   */
  constructor(mill, options, signal) {
    this.#mill = mill;
    this.#options = options;
    this.#signal = signal;
  }

  get ms() {
    return performance.now() - this.#startedAt;
  }

  async run() {
    await Promise.all(Array.from({ length: this.#options.waiting }, () => this.#pump()));
  }

  async #pump() {
    const { texts, withinMs = Number.POSITIVE_INFINITY } = this.#options;
    while (this.#next < texts && this.ms < withinMs && !this.#signal.aborted) {
      const from = this.#next;
      const count = Math.min(textsPerTask, texts - from);
      this.#next += count;
      const isRight = await this.#send(from, count);
      this.done += count;
      if (!isRight) this.failed += 1;
    }
  }

  /**
   * @param {number} from
   * @param {number} count
   * @returns {Promise<boolean>} whether a result came back for each text
   */
  async #send(from, count) {
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    const kinds = this.#options.kinds;
    const kind = kinds[Math.floor(from / textsPerTask) % kinds.length];
    const wait = { timeoutMs: taskWithinMs };
    try {
      if (kind === 'text.clean') {
        const input = { texts: numbers.map(shortHtml), format: /** @type {const} */ ('html') };
        const task = await this.#mill.enqueue('text.clean', input, { resultTtlMs, waitForRoomMs: taskWithinMs });
        const { texts } = await task.result(wait);
        return texts.length === count && texts[0] === shortText(from);
      }
      const input = { texts: numbers.map(shortText) };
      const task = await this.#mill.enqueue('inference.embed', input, { resultTtlMs, waitForRoomMs: taskWithinMs });
      const { embeddings } = await task.result(wait);
      return embeddings.length === count && embeddings.every((vector) => vector.length === 384);
    } catch {
      return false;
    }
  }
}
