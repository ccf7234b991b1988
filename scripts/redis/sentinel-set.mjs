import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.mjs';
import { openNode } from './node.mjs';
import { allFollow, ask, PROMPT, untilSo } from './set.mjs';

/** @typedef {import('./set.mjs').RedisSet} RedisSet */
/** @typedef {{ url: string, port: number, stop: () => Promise<void> }} Sentinel */

const MASTER = 'mill';
/** A master that is silent for so long is replaced; ms. */
const DOWN_AFTER_MS = 1000;
/** Twice as long Sentinels leave each other in peace after a failover, and let an old master alone that comes again; ms. */
const FAILOVER_TIMEOUT_MS = 2000;

/**
 * One master, its replicas, and three Sentinels that watch them.
 *
 * @param {{ binary: string, folder: string, replicas?: number, args?: string[], signal?: AbortSignal }} params
 * @returns {Promise<RedisSet>}
 */
export async function openSentinelSet({ binary, folder, replicas = 1, args: more = [], signal }) {
  const args = [...PROMPT, ...more];
  const common = { binary, folder, ...(signal && { signal }) };
  const first = await openNode({ ...common, name: 'redis-0', args });
  const nodes = [first];
  /** @type {Sentinel[]} */
  const sentinels = [];
  const close = async () => {
    await Promise.all(sentinels.map((sentinel) => sentinel.stop()));
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  };
  try {
    for (let at = 1; at <= replicas; at += 1) {
      const follow = ['--replicaof', '127.0.0.1', String(first.port)];
      nodes.push(await openNode({ ...common, name: `redis-${at}`, args: [...args, ...follow] }));
    }
    await untilSo(() => allFollow(nodes.slice(1)), 'replicas that follow');
    for (let at = 0; at < 3; at += 1) sentinels.push(await startSentinel({ binary, folder, at, master: first.port }));
    await untilSo(() => allKnown(sentinels, replicas), 'Sentinels that know each other');
  } catch (error) {
    await close();
    throw error;
  }
  const master = async () => await masterOf(sentinels, nodes);
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER}`,
    nodes,
    master,
    failover: async () => void (await ask(sentinels[0]?.url ?? '', ['SENTINEL', 'FAILOVER', MASTER])),
    settled: () =>
      untilSo(async () => {
        const port = (await master()).port;
        return await allFollow(nodes.filter((node) => node.isUp && node.port !== port));
      }, 'replicas that follow the master'),
    close,
  };
}

/**
 * @param {{ binary: string, folder: string, at: number, master: number }} params
 * @returns {Promise<Sentinel>}
 */
async function startSentinel({ binary, folder, at, master }) {
  const port = await freePort();
  const dir = join(folder, `sentinel-${at}`);
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'sentinel.conf');
  const watched = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER} ${FAILOVER_TIMEOUT_MS}`,
  ];
  writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...watched, ''].join('\n'));
  const log = openSync(join(folder, `sentinel-${at}.log`), 'a');
  const child = spawn(binary, [file, '--sentinel'], {
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = once(child, 'exit');
  const url = `redis://127.0.0.1:${port}`;
  await untilSo(async () => (await ask(url, ['PING'])) === 'PONG', 'a Sentinel that answers');
  return {
    url,
    port,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/**
 * @param {readonly Sentinel[]} sentinels
 * @param {number} replicas
 */
async function allKnown(sentinels, replicas) {
  const facts = await Promise.all(sentinels.map(({ url }) => ask(url, ['SENTINEL', 'MASTER', MASTER])));
  return facts.every((list) => {
    const fields = /** @type {string[]} */ (list);
    const value = (/** @type {string} */ name) => Number(fields[fields.indexOf(name) + 1]);
    return value('num-other-sentinels') === sentinels.length - 1 && value('num-slaves') === replicas;
  });
}

/**
 * @param {readonly Sentinel[]} sentinels
 * @param {readonly import('./node.mjs').RedisNode[]} nodes
 */
async function masterOf(sentinels, nodes) {
  const reply = await ask(sentinels[0]?.url ?? '', ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER]);
  const port = Number(Array.isArray(reply) ? reply[1] : undefined);
  const node = nodes.find((one) => one.port === port);
  if (node === undefined) throw new Error(`the Sentinels name port ${port}, which is none of ours`);
  return node;
}
