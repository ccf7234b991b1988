import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder; everything else is found from here, never from the caller's working directory. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @typedef {Record<string, string | undefined>} Env */

/**
 * @param {Env} env
 * @param {string} [root]
 * @returns {string} MILLRACE_HOME as an absolute path; a relative one counts from the repository
 */
export function homeFolder(env, root = ROOT) {
  const home = env['MILLRACE_HOME'];
  if (home === undefined || home === '') return join(root, '.millrace');
  return isAbsolute(home) ? home : resolve(root, home);
}
