import { join } from 'node:path';
import { freePort } from './free-port.mjs';
import { startServer } from './server.mjs';

/**
 * A Redis that may be ended, frozen and started again on the same port and data.
 *
 * @typedef {object} RedisNode
 * @property {number} port
 * @property {string} url
 * @property {boolean} isUp it runs and is not frozen
 * @property {(signal: 'SIGTERM' | 'SIGKILL') => Promise<void>} end
 * @property {() => void} freeze
 * @property {() => Promise<void>} start thaws it, or starts it again; does nothing while it runs
 */
/**
 * @typedef {object} NodeParams
 * @property {string} binary
 * @property {string} folder for its data and log
 * @property {string} name
 * @property {number} [port] default: a free one
 * @property {string[]} [args] of redis-server
 * @property {AbortSignal} [signal]
 */

/**
 * @param {NodeParams} params
 * @returns {Promise<RedisNode>}
 */
export async function openNode({ binary, folder, name, port: wanted, args = [], signal }) {
  const port = wanted ?? (await freePort());
  const settings = {
    ...{ binary, args, port, ...(signal && { signal }) },
    dir: join(folder, name),
    logFile: join(folder, `${name}.log`),
  };
  let server = await startServer(settings);
  let isFrozen = false;
  /** @type {RedisNode} */
  const node = {
    port,
    url: server.url,
    isUp: true,
    async end(how) {
      node.isUp = false;
      isFrozen = false;
      await server.stop(how);
    },
    freeze() {
      node.isUp = false;
      isFrozen = true;
      process.kill(server.pid, 'SIGSTOP');
    },
    async start() {
      if (node.isUp) return;
      if (isFrozen) process.kill(server.pid, 'SIGCONT');
      else server = await startServer(settings);
      isFrozen = false;
      node.isUp = true;
    },
  };
  return node;
}
