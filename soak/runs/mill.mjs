import { createHash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { beatEveryMs } from '@millrace/shared/redis/workers';
import OpenAI from 'openai';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { App } from './app.mjs';

/** @typedef {OpenAI.Batch & { progress: { done: number, blocked: unknown } }} Batch */

const ended = ['failed', 'completed', 'expired', 'cancelled'];

/** API and worker over one Redis and one folder of files, and OpenAI's client for them. */
export class Mill {
  /** @type {App | undefined} */
  api;
  /** @type {App | undefined} */
  worker;
  /** @type {OpenAI | undefined} */
  client;
  #env;
  #url = '';
  #redis;
  #prefix;

  /**
   * @param {string} redisUrl
   * @param {string} folder
   * @param {string} prefix
   */
  constructor(redisUrl, folder, prefix) {
    this.#prefix = prefix;
    this.#env = {
      REDIS_URL: redisUrl,
      MILLRACE_PREFIX: prefix,
      MILLRACE_HOME: folder,
      FILES_DIR: join(folder, prefix),
    };
    this.#redis = connectRedis({ url: redisUrl, role: 'producer', name: 'runs-soak', log: silentLogger() });
  }

  async start() {
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    const api = new App('api', { ...this.#env, PORT: String(port) });
    const worker = new App('worker', this.#env);
    this.api = await api.ready();
    this.worker = await worker.ready();
    this.client = new OpenAI({ baseURL: `${this.#url}/v1`, apiKey: 'none', timeout: 600_000 });
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal) {
    await Promise.all([this.api?.stop(signal), this.worker?.stop(signal)]);
  }

  async close() {
    await this.stop('SIGTERM');
    this.#redis.disconnect();
  }

  /**
   * Uploads a file as it lies on disk and begins a run over it.
   *
   * @param {string} path
   * @param {string} endpoint
   * @returns {Promise<string>} the run's id
   */
  async begin(path, endpoint) {
    const file = new File([await openAsBlob(path)], 'input.jsonl');
    const { id } = await this.#open.files.create({ file, purpose: 'batch' });
    const body = { input_file_id: id, endpoint, completion_window: '24h' };
    return (await this.#open.batches.create(/** @type {OpenAI.BatchCreateParams} */ (body))).id;
  }

  /**
   * @param {string} id
   * @param {(batch: Batch) => boolean} isTrue
   */
  async until(id, isTrue) {
    for (;;) {
      const batch = /** @type {Batch} */ (await this.#open.batches.retrieve(id));
      if (isTrue(batch) || ended.includes(batch.status)) return batch;
      await sleep(200);
    }
  }

  /** @param {string} id */
  async untilEnded(id) {
    return await this.until(id, () => false);
  }

  /**
   * Reads a file as a stream.
   *
   * @param {string} id
   */
  async digest(id) {
    const { body } = await this.#open.files.content(id);
    const hash = createHash('sha256');
    let bytes = 0;
    let lines = 0;
    for await (const piece of /** @type {AsyncIterable<Uint8Array>} */ (body)) {
      hash.update(piece);
      bytes += piece.byteLength;
      for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines += 1;
    }
    return { sha256: hash.digest('hex'), bytes, lines };
  }

  /** Texts that the workers that live have computed, once each has told so. */
  async computed() {
    await sleep(2 * beatEveryMs);
    const text = await (await fetch(`${this.#url}/metrics`)).text();
    const sums = [...text.matchAll(/^millrace_call_items_sum\{[^}]*inference\.embed[^}]*\} (\d+)$/gm)];
    return sums.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Tasks of the family inference in one of BullMQ's places: held by a worker, or ended and not yet forgotten. */
  async counts() {
    const key = (/** @type {string} */ part) => `${this.#prefix}:inference:${part}`;
    return {
      active: await this.#redis.llen(key('active')),
      completed: await this.#redis.zcard(key('completed')),
    };
  }

  get #open() {
    if (this.client === undefined) throw new Error('the mill was not started');
    return this.client;
  }
}
