import { createServer } from 'node:net';
import { freePort } from './free-port.mjs';
import { openNode } from './node.mjs';
import { allFollow, ask, PROMPT, untilSo } from './set.mjs';

/** @typedef {import('./node.mjs').RedisNode} RedisNode */

const SLOTS = 16_384;
/** Nodes speak to each other at their port and so much. */
const BUS = 10_000;
/** A master that is silent for so long is replaced; ms. */
const NODE_TIMEOUT_MS = 1500;

/**
 * A cluster of three masters with one replica each.
 *
 * @param {{ binary: string, folder: string, prefix: string, args?: string[], signal?: AbortSignal }} params prefix: whose master is meant
 * @returns {Promise<import('./set.mjs').RedisSet & { moveSlot: () => Promise<{ begin: () => Promise<void>, end: () => Promise<void> }> }>}
 */
export async function openClusterSet({ binary, folder, prefix, args = [], signal }) {
  const clustered = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
  /** @type {RedisNode[]} */
  const nodes = [];
  const close = async () => void (await Promise.all(nodes.map((node) => node.end('SIGKILL'))));
  try {
    for (let at = 0; at < 6; at += 1) {
      const common = { binary, folder, name: `redis-${at}`, port: await clusterPort(), ...(signal && { signal }) };
      nodes.push(await openNode({ ...common, args: [...clustered, ...PROMPT, ...args] }));
    }
    await form(nodes);
  } catch (error) {
    await close();
    throw error;
  }
  const slot = Number(await ask(nodes[0]?.url ?? '', ['CLUSTER', 'KEYSLOT', prefix]));
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    master: () => masterOf(nodes, slot),
    async failover() {
      const { port } = await masterOf(nodes, slot);
      const [, , , ...replicas] = (await rangeOf(nodes, slot)) ?? [];
      const replica = nodes.find(
        (node) => node.isUp && node.port !== port && replicas.some((one) => one[1] === node.port),
      );
      if (replica === undefined) throw new Error('the master has no replica that runs');
      await ask(replica.url, ['CLUSTER', 'FAILOVER']);
    },
    settled: () =>
      untilSo(async () => {
        const up = nodes.filter((node) => node.isUp);
        const masters = await mastersOf(up);
        return masters.length === 3 && (await allFollow(up.filter(({ port }) => !masters.includes(port))));
      }, 'a cluster that is whole'),
    moveSlot: () => slotMove(nodes, slot),
    close,
  };
}

/** @param {readonly RedisNode[]} nodes */
async function form(nodes) {
  const [first, ...others] = nodes;
  if (first === undefined) return;
  const urlOf = (/** @type {number} */ at) => nodes[at]?.url ?? '';
  for (const [at, { url }] of nodes.entries()) await ask(url, ['CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1)]);
  for (let at = 0; at < 3; at += 1) {
    const from = Math.ceil((at * SLOTS) / 3);
    const to = Math.ceil(((at + 1) * SLOTS) / 3);
    const slots = Array.from({ length: to - from }, (_, index) => String(from + index));
    await ask(urlOf(at), ['CLUSTER', 'ADDSLOTS', ...slots]);
  }
  for (const { port } of others) await ask(first.url, ['CLUSTER', 'MEET', '127.0.0.1', String(port)]);
  const knowAll = async (/** @type {RedisNode} */ { url }) =>
    String(await ask(url, ['CLUSTER', 'INFO'])).includes('cluster_known_nodes:6');
  await untilSo(async () => (await Promise.all(nodes.map(knowAll))).every(Boolean), 'nodes that know each other');
  for (let at = 3; at < 6; at += 1) {
    const id = String(await ask(urlOf(at - 3), ['CLUSTER', 'MYID']));
    await untilSo(async () => (await ask(urlOf(at), ['CLUSTER', 'REPLICATE', id])) === 'OK', 'a replica');
  }
  const isOk = async (/** @type {RedisNode} */ { url }) =>
    /cluster_state:ok[\s\S]*cluster_size:3/.test(String(await ask(url, ['CLUSTER', 'INFO'])));
  await untilSo(async () => (await Promise.all(nodes.map(isOk))).every(Boolean), 'a cluster that serves');
  await untilSo(() => allFollow(nodes.slice(3)), 'replicas that follow');
  // Only a replica that the others know as such can take over.
  await untilSo(async () => (await ranges(nodes)).every((range) => range.length === 4), 'replicas that are known');
}

/** @typedef {[number, number, ...[string, number][]]} Range from slot, to slot, master, replicas */

/**
 * @param {readonly RedisNode[]} nodes
 * @returns {Promise<Range[]>} as the first says that answers
 */
async function ranges(nodes) {
  for (const { isUp, url } of nodes) {
    if (!isUp) continue;
    const info = await ask(url, ['CLUSTER', 'INFO']).catch(() => '');
    if (!String(info).includes('cluster_state:ok')) continue;
    return /** @type {Range[]} */ (/** @type {unknown} */ (await ask(url, ['CLUSTER', 'SLOTS'])));
  }
  throw new Error('no node serves');
}

/** @param {readonly RedisNode[]} nodes @param {number} slot */
async function rangeOf(nodes, slot) {
  return (await ranges(nodes)).find(([from, to]) => from <= slot && slot <= to);
}

/** @param {readonly RedisNode[]} nodes @param {number} slot */
async function masterOf(nodes, slot) {
  const port = (await rangeOf(nodes, slot))?.[2]?.[1];
  const node = nodes.find((one) => one.port === port);
  if (node === undefined) throw new Error(`no node has slot ${slot}`);
  return node;
}

/** @param {readonly RedisNode[]} nodes */
async function mastersOf(nodes) {
  return [...new Set((await ranges(nodes)).map((range) => range[2]?.[1]))];
}

/**
 * The move of a slot to another master, key by key, as `redis-cli --cluster reshard` does it.
 *
 * @param {readonly RedisNode[]} nodes
 * @param {number} slot
 */
async function slotMove(nodes, slot) {
  const from = await masterOf(nodes, slot);
  const ports = await mastersOf(nodes);
  const to = nodes.find(({ port }) => port !== from.port && ports.includes(port));
  if (to === undefined) throw new Error('there is no other master');
  const [fromId, toId] = await Promise.all(
    [from, to].map(async ({ url }) => String(await ask(url, ['CLUSTER', 'MYID']))),
  );
  const set = (/** @type {RedisNode} */ { url }, /** @type {(string | undefined)[]} */ ...words) =>
    ask(url, ['CLUSTER', 'SETSLOT', String(slot), ...words.map(String)]);
  return {
    async begin() {
      await set(to, 'IMPORTING', fromId);
      await set(from, 'MIGRATING', toId);
    },
    async end() {
      for (;;) {
        const keys = await ask(from.url, ['CLUSTER', 'GETKEYSINSLOT', String(slot), '100']);
        if (!Array.isArray(keys) || keys.length === 0) break;
        const what = ['127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys.map(String)];
        await ask(from.url, ['MIGRATE', ...what]);
      }
      await set(to, 'NODE', toId);
      await set(from, 'NODE', toId);
    },
  };
}

/** @returns {Promise<number>} a free port whose bus port is free too */
async function clusterPort() {
  for (;;) {
    const port = await freePort();
    if (port + BUS <= 65_535 && (await isFree(port + BUS))) return port;
  }
}

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
