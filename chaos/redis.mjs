import { join } from 'node:path';
import { openClusterSet } from '../scripts/redis/cluster-set.mjs';
import { openNode } from '../scripts/redis/node.mjs';
import { openSentinelSet } from '../scripts/redis/sentinel-set.mjs';
import { goOverMs, lagMs, onItsWayMs } from './losses.mjs';
import { RedisProxy } from './proxy.mjs';

/** @typedef {import('./losses.mjs').LossWindow} LossWindow */
/** @typedef {import('../scripts/redis/set.mjs').RedisSet} RedisSet */
/** @typedef {'single' | 'sentinel' | 'cluster'} RedisKind */
/**
 * The Redis that is broken: one behind a proxy, or a set in which another becomes master.
 *
 * @typedef {object} ChaosRedis
 * @property {RedisKind} kind
 * @property {string} appUrl for workers, APIs and producers
 * @property {string} url for whoever looks: past the proxy
 * @property {boolean} isUp it takes commands, but for the network
 * @property {LossWindow[]} windows when it may have forgotten what it had accepted
 * @property {number} mostBehind the most bytes that a replica lacked when its master was struck
 * @property {number} unasked how often another became master though nothing was done to the one before
 * @property {number | undefined} struckPort of the last master that was struck
 * @property {import('../scripts/redis/node.mjs').RedisNode | undefined} node of a single Redis
 * @property {RedisProxy | undefined} proxy before a single Redis
 * @property {RedisSet | undefined} set
 * @property {(lasts: Pick<LossWindow, 'from'> & Partial<LossWindow>) => LossWindow} mayLose opens a window, without an end unless told
 * @property {() => Promise<void>} heal
 * @property {() => Promise<void>} close
 */
/** @typedef {{ kind: RedisKind, binary: string, folder: string, prefix: string, signal: AbortSignal }} RedisParams */

/**
 * @param {RedisParams} params
 * @returns {Promise<ChaosRedis>}
 */
export async function openRedis(params) {
  const { kind } = params;
  const common = { kind, isUp: true, mostBehind: 0, unasked: 0, struckPort: undefined, ...windowsOf() };
  if (kind === 'single') return await openSingle(params, common);
  const set = kind === 'sentinel' ? await openSentinelSet({ ...params, replicas: 2 }) : await openClusterSet(params);
  /** @type {ChaosRedis} */
  const redis = {
    ...{ ...common, appUrl: set.url, url: set.url, node: undefined, proxy: undefined, set },
    async heal() {
      for (const node of set.nodes) await node.start();
      await set.settled();
      redis.isUp = true;
    },
    async close() {
      clearInterval(watch);
      await set.close();
    },
  };
  const watch = watchMaster(redis, set);
  return redis;
}

/**
 * @param {RedisParams} params
 * @param {Omit<ChaosRedis, 'appUrl' | 'url' | 'node' | 'proxy' | 'set' | 'heal' | 'close'>} common
 */
async function openSingle({ binary, folder, signal }, common) {
  const node = await openNode({ binary, folder: join(folder), name: 'redis', signal });
  const proxy = new RedisProxy(node.port);
  /** @type {ChaosRedis} */
  const redis = {
    ...{ ...common, appUrl: await proxy.listen(), url: node.url, node, proxy, set: undefined },
    async heal() {
      if (proxy.mode !== 'pass') proxy.pass();
      await node.start();
      redis.isUp = true;
    },
    async close() {
      proxy.close();
      await node.end('SIGKILL');
    },
  };
  return redis;
}

/** How often it is asked who is master; ms. */
const lookEveryMs = 200;

/**
 * On a busy machine a master may be taken for dead that nobody has struck. What it accepted in its last moment is then lost by Redis
 * too.
 *
 * @param {ChaosRedis} redis
 * @param {RedisSet} set
 */
function watchMaster(redis, set) {
  /** @type {{ port: number, at: number } | undefined} */
  let last;
  return setInterval(async () => {
    const master = await set.master().catch(() => undefined);
    if (master === undefined) return;
    const now = Date.now();
    if (last !== undefined && last.port !== master.port && last.port !== redis.struckPort) {
      redis.unasked += 1;
      redis.mayLose({ from: last.at - lagMs, struckAt: last.at, to: now + goOverMs });
    }
    last = { port: master.port, at: now };
  }, lookEveryMs);
}

/** @returns {Pick<ChaosRedis, 'windows' | 'mayLose'>} */
function windowsOf() {
  /** @type {LossWindow[]} */
  const windows = [];
  const mayLose = (
    /** @type {Pick<LossWindow, 'from'> & Partial<LossWindow>} */ { from, struckAt = Date.now(), to },
  ) => {
    const window = { from, struckAt, to: to ?? Number.POSITIVE_INFINITY };
    windows.push(window);
    return window;
  };
  return { windows, mayLose };
}

/**
 * The window of a Redis that was just ended by SIGKILL: nobody can be answered by it any more.
 *
 * @param {ChaosRedis} redis
 * @param {number} beforeMs how far back what it had accepted may be gone
 */
export function killedNow(redis, beforeMs) {
  const now = Date.now();
  redis.mayLose({ from: now - beforeMs, struckAt: now, to: now + onItsWayMs });
}
