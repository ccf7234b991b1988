import { Queue, QueueEvents } from 'bullmq';
import { forkReady } from './child.mjs';

/** @typedef {{ jobId: string, returnvalue: string }} Completed BullMQ has parsed the return value, whatever its type says */

const queueName = 'naive';

/**
 * The baseline: BullMQ and transformers.js as their READMEs show them. Concurrency is BullMQ's default, 1; the model has
 * ONNX's default, a thread a core; the vector is the job's return value. The clock runs from addBulk until the last
 * `completed` event, which carries the vector.
 *
 * @param {import('./contender.mjs').Bench} bench
 * @returns {Promise<import('./contender.mjs').Contender>}
 */
export async function openNaive(bench) {
  const connection = { url: bench.redisUrl };
  const queue = new Queue(queueName, { connection });
  const events = new QueueEvents(queueName, { connection });
  bench.closers.add(async () => void (await Promise.all([events.close(), queue.close()])));
  await Promise.all([
    queue.waitUntilReady(),
    events.waitUntilReady(),
    forkReady('./naive-child.mjs', [bench.redisUrl, queueName], bench),
  ]);
  let runs = 0;
  return {
    key: 'naive',
    label: 'naive: one BullMQ job, one text, one pipeline call',
    mostTexts: 300,
    async run(texts) {
      runs += 1;
      const idOf = (/** @type {number} */ index) => `run${runs}-${index}`;
      const completed = collect(
        events,
        texts.map((_, index) => idOf(index)),
      );
      const begin = performance.now();
      await queue.addBulk(
        texts.map((text, index) => ({ name: 'embed', data: { text }, opts: { jobId: idOf(index) } })),
      );
      const vectors = await completed;
      const ms = performance.now() - begin;
      await queue.obliterate();
      return { ms, vectors };
    },
  };
}

/**
 * @param {QueueEvents} events
 * @param {string[]} ids
 * @returns {Promise<Float32Array[]>}
 */
function collect(events, ids) {
  /** @type {Map<string, Float32Array>} */
  const vectors = new Map();
  return new Promise((resolve, reject) => {
    const onCompleted = (/** @type {Completed} */ { jobId, returnvalue }) => {
      vectors.set(jobId, Float32Array.from(/** @type {number[]} */ (/** @type {unknown} */ (returnvalue))));
      if (vectors.size < ids.length) return;
      events.off('completed', onCompleted);
      events.off('failed', onFailed);
      resolve(ids.map((id) => /** @type {Float32Array} */ (vectors.get(id))));
    };
    const onFailed = (/** @type {{ failedReason: string }} */ { failedReason }) => {
      reject(new Error(`naive: a job failed: ${failedReason}`));
    };
    events.on('completed', onCompleted);
    events.on('failed', onFailed);
  });
}
