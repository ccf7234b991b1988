import { Millrace } from '@millrace/client';
import { openCeiling } from './ceiling.mjs';
import { makeCorpus } from './corpus.mjs';
import { openHttp } from './http.mjs';
import { startApi, startWorker } from './mill.mjs';
import { openMillrace } from './millrace.mjs';
import { openNaive } from './naive.mjs';

/** @typedef {import('./contender.mjs').Bench} Bench */
/** @typedef {import('./contender.mjs').Contender} Contender */
/** @typedef {{ ceiling: Awaited<ReturnType<typeof openCeiling>>, others: Contender[] }} Contenders */

/**
 * Opens all contenders; they stay open, idle but for the one that runs.
 *
 * @param {Bench} bench
 * @param {import('./options.mjs').Options} options
 * @returns {Promise<Contenders>}
 */
export async function openContenders(bench, { texts, http, only }) {
  const wanted = (/** @type {string} */ key) => only.length === 0 || only.includes(key);
  /** @type {Contender[]} */
  const others = [];
  if (wanted('naive')) others.push(await openNaive(bench));
  const textsPerTask = [1, 64].filter((some) => wanted(`millrace-${some}`));
  if (textsPerTask.length > 0) others.push(...(await openClients(bench, textsPerTask)));
  if (http && wanted('http')) {
    // A mill of its own: an API follows the events of all tasks, which would cost the others their time.
    const prefix = '{bench-http}';
    await startWorker(bench, prefix);
    others.push(openHttp(await startApi(bench, prefix)));
  }
  // Last, because it looks for its budget, and nothing else may run then.
  const ceiling = await openCeiling(bench, makeCorpus({ count: texts, edition: 0 }));
  return { ceiling, others };
}

/**
 * @param {Bench} bench
 * @param {number[]} textsPerTask
 * @returns {Promise<Contender[]>}
 */
async function openClients(bench, textsPerTask) {
  const prefix = '{bench}';
  await startWorker(bench, prefix);
  const client = new Millrace({ redisUrl: bench.redisUrl, prefix });
  bench.closers.add(() => client.close());
  return textsPerTask.map((some) => openMillrace(client, some));
}
