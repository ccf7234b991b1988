import { ask, untilSo } from '../../scripts/redis/set.mjs';
import { goOverMs, lagMs } from '../losses.mjs';
import { pause } from '../pause.mjs';
import { killedNow } from '../redis.mjs';

/** @typedef {import('../faults.mjs').Fault} Fault */
/** @typedef {import('../redis.mjs').ChaosRedis} ChaosRedis */
/** @typedef {import('../../scripts/redis/set.mjs').RedisSet} RedisSet */
/** @typedef {import('../../scripts/redis/node.mjs').RedisNode} RedisNode */

/** How long the old master stays dead or frozen after another has taken its place; ms. */
const awayMs = { least: 1000, most: 4000 };
const replacedWithinMs = 30_000;

/** SIGKILL to the master: a replica takes its place, and it comes back as one. @type {Fault} */
export const killMaster = {
  kinds: ['sentinel', 'cluster'],
  alone: true,
  async strike(field) {
    return await strikeMaster(field, async (redis, master) => {
      killedNow(redis, lagMs);
      await master.end('SIGKILL');
      return () => {};
    });
  },
};

/** SIGSTOP to the master: it is replaced, wakes, and must learn that it is none. @type {Fault} */
export const freezeMaster = {
  kinds: ['sentinel', 'cluster'],
  alone: true,
  async strike(field) {
    return await strikeMaster(field, async (redis, master) => {
      const window = redis.mayLose({ from: Date.now() - lagMs });
      master.freeze();
      return () => {
        window.to = Date.now() + goOverMs;
      };
    });
  },
};

/**
 * Another is made master while the old one serves. Sentinel does that as if the old one were dead: what it accepts until it is told
 * is lost. In a cluster the old one stops until its replica has all: nothing may be lost.
 *
 * @type {Fault}
 */
export const failover = {
  kinds: ['sentinel', 'cluster'],
  alone: true,
  async strike({ redis }) {
    const { set } = redis;
    if (set === undefined) return undefined;
    const { port } = await set.master();
    redis.struckPort = port;
    await noteLag(redis, set);
    const window = redis.kind === 'sentinel' ? redis.mayLose({ from: Date.now() - lagMs }) : undefined;
    redis.isUp = false;
    await set.failover();
    const over = (async () => {
      await untilSo(async () => (await set.master()).port !== port, 'another master', replacedWithinMs);
      if (window !== undefined) window.to = Date.now() + goOverMs;
      await set.settled();
      redis.isUp = true;
    })();
    return { target: `away from port ${port}`, over };
  },
};

/**
 * @param {import('../faults.mjs').Battlefield} field
 * @param {(redis: ChaosRedis, master: RedisNode) => Promise<() => void>} spoil gives what ends it
 */
async function strikeMaster({ redis, random, calm }, spoil) {
  const { set } = redis;
  if (set === undefined) return undefined;
  const master = await set.master();
  redis.struckPort = master.port;
  await noteLag(redis, set);
  redis.isUp = false;
  const end = await spoil(redis, master);
  const ms = random.integer(awayMs.least, awayMs.most);
  const over = (async () => {
    await untilSo(async () => (await set.master()).port !== master.port, 'another master', replacedWithinMs);
    redis.isUp = true;
    await pause(ms, calm);
    await master.start();
    end();
    await set.settled();
  })();
  return { target: `port ${master.port}, back ${ms} ms after another is master`, over };
}

/**
 * How many bytes of writes the best replica lacks now.
 *
 * @param {ChaosRedis} redis
 * @param {RedisSet} set
 */
async function noteLag(redis, set) {
  const { url } = await set.master();
  const has = await offsetOf(url);
  const replicas = set.nodes.filter((node) => node.isUp && node.url !== url);
  const theirs = await Promise.all(replicas.map((node) => offsetOf(node.url)));
  // In a cluster other masters have rows of their own: the replica of this one is the nearest.
  const behind = theirs.map((offset) => Math.max(0, has - offset)).sort((a, b) => a - b)[0] ?? 0;
  redis.mostBehind = Math.max(redis.mostBehind, behind);
}

/** @param {string} url */
async function offsetOf(url) {
  const info = String(await ask(url, ['INFO', 'replication']));
  return Number(/(?:master|slave)_repl_offset:(\d+)/.exec(info)?.[1] ?? 0);
}
