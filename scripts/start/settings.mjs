import { withEnvFile } from '../setup/env-file.mjs';
import { Refusal } from '../setup/refusal.mjs';
import { homeFolder } from '../setup/root.mjs';

/** @typedef {import('../setup/root.mjs').Env} Env */
/**
 * @typedef {object} Settings
 * @property {string} home absolute
 * @property {string} host what the API listens on
 * @property {number} port
 * @property {string} address the API's, for a browser on this machine
 * @property {string | undefined} redisUrl
 * @property {boolean} verbose
 * @property {Env} env the environment with .env beneath it
 */

const DEFAULT_PORT = '3000';
const DEFAULT_HOST = '127.0.0.1';
const LARGEST_PORT = 65_535;

/**
 * @param {{ root: string, env: Env, args: string[] }} input
 * @returns {Settings}
 */
export function readSettings({ root, env: processEnv, args }) {
  const unknown = args.find((arg) => arg !== '--verbose');
  if (unknown !== undefined)
    throw new Refusal(`npm start does not know ${unknown}; it takes \`npm start -- --verbose\`.`);
  const env = withEnvFile(root, processEnv);
  const host = env['HOST'] || DEFAULT_HOST;
  const port = readPort(env['PORT'] || DEFAULT_PORT);
  return {
    home: homeFolder(env, root),
    host,
    port,
    address: `http://${visibleHost(host)}:${port}`,
    redisUrl: env['REDIS_URL'] || undefined,
    verbose: args.includes('--verbose'),
    env,
  };
}

/** @param {string} text */
function readPort(text) {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= LARGEST_PORT) return port;
  throw new Refusal(
    `PORT is a whole number from 1 to ${LARGEST_PORT} and not ${text}; for example \`PORT=3001 npm start\`.`,
  );
}

/** @param {string} host */
function visibleHost(host) {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
