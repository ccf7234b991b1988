import { Millrace } from '@millrace/client';
import { freePort } from '../scripts/redis/free-port.mjs';
import { openCeiling } from './ceiling.mjs';
import { makeCorpus } from './corpus.mjs';
import { openHttp } from './http.mjs';
import { prefix, startApi, startWorker } from './mill.mjs';
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
  const millrace = [1, 64].filter((textsPerTask) => wanted(`millrace-${textsPerTask}`));
  const withHttp = http && wanted('http');
  if (millrace.length > 0 || withHttp) await startWorker(bench);
  if (millrace.length > 0) {
    const client = new Millrace({ redisUrl: bench.redisUrl, prefix });
    bench.closers.add(() => client.close());
    others.push(...millrace.map((textsPerTask) => openMillrace(client, textsPerTask)));
  }
  if (withHttp) others.push(openHttp(await startApi(bench, await freePort())));
  // Last, because it looks for its budget, and nothing else may run then.
  const ceiling = await openCeiling(bench, makeCorpus({ count: texts, edition: 0 }));
  return { ceiling, others };
}
