import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('./root.mjs').Env} Env */

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;

/**
 * The plain part of dotenv's format: KEY=value, quotes, `export`, # comments. No multi-line values and no ${…}: the
 * apps read the file with dotenv, here only a few addresses are wanted and nothing is installed yet.
 *
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function parseEnvFile(text) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const line of text.split(/\r?\n/)) {
    const match = LINE.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const quoted = /^(["'`])(.*?)\1/.exec(match[2]);
    values[match[1]] = quoted ? (quoted[2] ?? '') : match[2].replace(/\s*#.*$/, '');
  }
  return values;
}

/**
 * @param {string} root the folder that may hold a .env
 * @param {Env} env wins over the file, as with dotenv
 * @returns {Env}
 */
export function withEnvFile(root, env) {
  try {
    return { ...parseEnvFile(readFileSync(join(root, '.env'), 'utf8')), ...env };
  } catch {
    return env; // no .env: nothing to add
  }
}
