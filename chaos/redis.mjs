import { join } from 'node:path';
import { freePort } from '../scripts/redis/free-port.mjs';
import { startServer } from '../scripts/redis/server.mjs';

/**
 * A private Redis that may be ended and started again on the same port and data.
 *
 * @typedef {object} ChaosRedis
 * @property {number} port
 * @property {string} url past the proxy
 * @property {boolean} isUp
 * @property {number[]} kills when it was ended by SIGKILL, ms since 1970
 * @property {(signal: 'SIGTERM' | 'SIGKILL') => Promise<void>} end
 * @property {() => Promise<void>} start does nothing while it runs
 */

/**
 * @param {{ binary: string, folder: string, signal: AbortSignal }} params
 * @returns {Promise<ChaosRedis>}
 */
export async function openRedis({ binary, folder, signal }) {
  const port = await freePort();
  const settings = { binary, dir: join(folder, 'redis'), logFile: join(folder, 'redis.log'), port, signal };
  let server = await startServer(settings);
  /** @type {ChaosRedis} */
  const redis = {
    port,
    url: server.url,
    isUp: true,
    kills: [],
    async end(name) {
      redis.isUp = false;
      if (name === 'SIGKILL') redis.kills.push(Date.now());
      await server.stop(name);
    },
    async start() {
      if (redis.isUp) return;
      server = await startServer(settings);
      redis.isUp = true;
    },
  };
  return redis;
}
