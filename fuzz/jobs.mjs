import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { Queue } from 'bullmq';
import fc from 'fast-check';
import { bodyTwists, hostileTexts, hostileValue } from './hostile.mjs';
import { valuesOf } from './json-schema.mjs';

/** @typedef {'text' | 'inference' | 'vector'} Family */
/**
 * A job that any program with access to Redis might write.
 *
 * @typedef {object} JobPlan
 * @property {Family} family
 * @property {string} name
 * @property {unknown} data
 * @property {Record<string, unknown>} opts
 * @property {string | undefined} rawData in place of what BullMQ writes as `data`
 */
/** @typedef {{ type: string, input: import('./json-schema.mjs').Schema }} TaskType */

/** @type {Family[]} */
const families = ['text', 'inference', 'vector'];
const tidiedAfterMs = 3000;
/** Jobs that wait long would only be work for the end. */
const options = fc.oneof(
  fc.constant({}),
  fc.record(
    {
      priority: fc.constantFrom(0, 1, 2_097_151),
      attempts: fc.constantFrom(0, 1, 3, -1, 1e6),
      delay: fc.constantFrom(0, 1, 500),
      backoff: fc.constantFrom(0, 10, { type: 'nothing known', delay: 1 }, { type: 'exponential', delay: -1 }),
      lifo: fc.boolean(),
      removeOnComplete: fc.constantFrom(true, 0, 1),
      removeOnFail: fc.constantFrom(true, 1),
      jobId: fc.constantFrom(
        ...hostileTexts.filter((text) => text.length < 400 && !text.includes(':') && !/^\d*$/.test(text)),
      ),
      sizeLimit: fc.constant(1e9),
    },
    { requiredKeys: [] },
  ),
);

/**
 * @param {TaskType[]} types
 * @returns {fc.Arbitrary<JobPlan>}
 */
export function jobPlansOf(types) {
  const each = types.map(({ type, input }) => {
    const data = fc.record(
      {
        v: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: hostileValue }),
        input: fc.oneof({ weight: 3, arbitrary: valuesOf(input, {}) }, { weight: 1, arbitrary: hostileValue }),
        timeoutMs: fc.constantFrom(5000, 1, -1, 'soon'),
        resultTtlMs: fc.constantFrom(60_000, 0, 1e300),
        tags: fc.constantFrom([], ['a'], ['\r\n'], [{}], 'a'),
        extra: hostileValue,
      },
      { requiredKeys: ['v', 'input'] },
    );
    const right = families.find((family) => type.startsWith(family)) ?? 'text';
    return fc.record({
      family: fc.oneof(
        { weight: 9, arbitrary: fc.constant(right) },
        { weight: 1, arbitrary: fc.constantFrom(...families) },
      ),
      name: fc.oneof(
        { weight: 9, arbitrary: fc.constant(type) },
        { weight: 1, arbitrary: fc.constantFrom(...hostileTexts) },
      ),
      data: fc.oneof({ weight: 9, arbitrary: data }, { weight: 1, arbitrary: hostileValue }),
      opts: options,
      rawData: rawData(),
    });
  });
  return fc.oneof(...each);
}

/** Seldom: what is no JSON, as only a hand at Redis could write it. */
function rawData() {
  const broken = fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"v":1}',
    '{"v":1,"input":'.concat('['.repeat(5000)),
    '\u0000',
    bodyTwists[0],
  );
  return fc.oneof({ weight: 19, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: broken });
}

/** Writes jobs past the API, as a program of another would. */
export class BareProducer {
  #queues;
  #redis;

  /** @param {{ redisUrl: string, prefix: string }} params */
  constructor({ redisUrl, prefix }) {
    this.#redis = connectRedis({ url: redisUrl, role: 'producer', name: 'fuzz', log: silentLogger() });
    this.#queues = new Map(
      families.map((family) => [family, new Queue(family, { connection: { url: redisUrl }, prefix })]),
    );
    for (const queue of this.#queues.values()) queue.on('error', () => {});
  }

  /** @param {JobPlan} plan @returns {Promise<boolean>} whether BullMQ took it */
  async add({ family, name, data, opts, rawData }) {
    const queue = /** @type {Queue} */ (this.#queues.get(family));
    // Held back until its data has been replaced.
    const delayed = rawData === undefined ? opts : { ...opts, delay: 300 };
    const job = await queue.add(name, data, delayed).catch(() => undefined);
    if (job === undefined) return false;
    if (rawData !== undefined) await this.#redis.hset(queue.toKey(String(job.id)), { data: rawData });
    return true;
  }

  /** @returns {Promise<number>} tasks that have not ended and are not scheduled for later */
  async waiting() {
    const counts = await Promise.all(
      [...this.#queues.values()].map((queue) => queue.getJobCountByTypes('wait', 'prioritized', 'active')),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Removes tasks that wait for a worker which knows their type: else there would be more and more of them to look at. */
  async tidy() {
    await Promise.all([...this.#queues.values()].map((queue) => queue.clean(tidiedAfterMs, 10_000, 'delayed')));
  }

  async close() {
    this.#redis.disconnect();
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }
}
