import { readFileSync } from 'node:fs';
import { findRedisBinary } from '../redis/find-binary.mjs';
import { canLookAt, checkGivenRedis, maskedUrl } from '../redis/given-redis.mjs';
import { openPrivateRedis } from '../redis/private-redis.mjs';
import { lastLines } from '../setup/command.mjs';

/** @typedef {import('./supervise.mjs').Loss} Loss */
/**
 * @typedef {object} OpenRedis
 * @property {string} url
 * @property {string} shown for the terminal
 * @property {Promise<Loss>} lost never settles for a Redis that is not ours to watch
 * @property {(() => Promise<void>) | undefined} close undefined for a Redis that is not ours to stop
 */

/**
 * The Redis that REDIS_URL names, else a private one.
 *
 * @param {{ settings: import('./settings.mjs').Settings, terminal: import('../setup/terminal.mjs').Terminal, signal: AbortSignal }} options
 * @returns {Promise<OpenRedis>}
 */
export async function openRedis({ settings, terminal, signal }) {
  const { redisUrl, home, env } = settings;
  if (redisUrl !== undefined) {
    const shown = maskedUrl(redisUrl);
    if (canLookAt(redisUrl, env)) await checkGivenRedis(redisUrl, terminal);
    terminal.step(`Using Redis at ${shown}.`);
    return { url: redisUrl, shown, lost: new Promise(() => {}), close: undefined };
  }
  const findBinary = () => findRedisBinary({ home, env, terminal, signal });
  const redis = await openPrivateRedis({ home, findBinary, signal });
  terminal.step(
    redis.adopted ? `Found the private Redis still running at ${redis.url}.` : `Private Redis at ${redis.url}.`,
  );
  const lost = redis.ended.then(() => ({
    sentence: `Redis (process ${redis.pid}) ended unexpectedly`,
    logFile: redis.logFile,
    detail: lastLines(readFileSync(redis.logFile, 'utf8'), 5),
  }));
  return { url: redis.url, shown: `${redis.url} (private)`, lost, close: redis.stop };
}
