import { askRedis } from './ask.mjs';
import { RedisRefusal } from './resp.mjs';

/**
 * Several Redis of which one is the master of a mill, and another takes its place when it dies.
 *
 * @typedef {object} RedisSet
 * @property {string} url as REDIS_URL
 * @property {import('./node.mjs').RedisNode[]} nodes
 * @property {() => Promise<import('./node.mjs').RedisNode>} master who it is now, as those say who decide
 * @property {() => Promise<void>} failover asks for another master; resolves when it was begun
 * @property {() => Promise<void>} settled resolves when every node that runs has its part and all replicas have caught up
 * @property {() => Promise<void>} close
 */

/**
 * A replica that comes is sent all data at once: others are waited for otherwise, for 5 s. And it is spoken to every second, not every
 * 10: a cluster does not know it as one before.
 */
export const PROMPT = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];

/**
 * @param {string} url
 * @param {string[]} command
 * @returns {Promise<import('./resp.mjs').Reply>}
 * @throws {Error} also when Redis refuses
 */
export async function ask(url, command) {
  const [reply = null] = await askRedis(url, [command]);
  if (reply instanceof RedisRefusal) throw reply;
  return reply;
}

/**
 * @param {() => Promise<boolean>} isSo what it throws counts as no
 * @param {string} what
 * @param {number} [withinMs]
 */
export async function untilSo(isSo, what, withinMs = 30_000) {
  const deadline = performance.now() + withinMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Whether each of these follows a master and has what it has.
 *
 * @param {readonly import('./node.mjs').RedisNode[]} replicas
 * @returns {Promise<boolean>}
 */
export async function allFollow(replicas) {
  const facts = await Promise.all(replicas.map(({ url }) => ask(url, ['INFO', 'replication'])));
  return facts.every((info) => /role:slave/.test(String(info)) && /master_link_status:up/.test(String(info)));
}
