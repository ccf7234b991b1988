import { build } from './build.mjs';
import { install } from './install.mjs';
import { probeVectorSearch } from './vector-probe.mjs';

/** @typedef {import('./terminal.mjs').Terminal} Terminal */
/**
 * @typedef {object} PrepareOptions
 * @property {string} root
 * @property {Terminal} terminal
 * @property {import('./root.mjs').Env} env
 * @property {AbortSignal} signal
 */

/**
 * From a clone to something that runs: packages, compiled code, and a word when vector search will be missing.
 * Seconds on a second call, since each part knows when nothing has changed.
 *
 * @param {PrepareOptions} options
 */
export async function prepare({ root, terminal, env, signal }) {
  await install({ root, terminal, env, signal });
  const [warning] = await Promise.all([probeVectorSearch({ root, signal }), build({ root, terminal, env, signal })]);
  if (warning !== undefined) terminal.say(warning);
}
