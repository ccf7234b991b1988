// npm run bench -- vectors: recall, speed beside bare hnswlib-node, filters and starts of collections of real sentence vectors.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Millrace } from '@millrace/client';
import { startServer } from '../../scripts/redis/server.mjs';
import { createTerminal } from '../../scripts/setup/terminal.mjs';
import { forkReady, startApp } from '../child.mjs';
import { Closers } from '../closers.mjs';
import { readDefinitions } from './definitions.mjs';

const dimensions = 384;
const queriesPerTask = 64;
const queryCount = 512;
const timesAsked = 32;
const k = 10;
const waitMs = 1_800_000;

const { values: options } = parseArgs({
  options: {
    points: { type: 'string', default: '20000,100000' },
    rounds: { type: 'string', default: '5' },
    /** Where the vectors are kept between two runs: to embed 100,000 texts takes some minutes. */
    vectors: { type: 'string', default: join(tmpdir(), 'millrace-bench-vectors.f32') },
    /** Points beyond those there are: each a real one moved a little. */
    stretch: { type: 'string', default: '0' },
  },
});
const terminal = createTerminal();
const closers = new Closers();
const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
closers.add(() => rmSync(folder, { recursive: true, force: true }));
/** @type {[string, string][]} */
const rows = [];

/** @param {string} what @param {string} figure */
function report(what, figure) {
  rows.push([what, figure]);
  terminal.say(`  ${what.padEnd(78)} ${figure}`);
}

/** @param {string} redisUrl @param {string} families */
function startWorker(redisUrl, families) {
  const main = fileURLToPath(new URL('../../apps/worker/dist/main.js', import.meta.url));
  const own = new Closers();
  closers.add(() => own.close());
  const env = {
    REDIS_URL: redisUrl,
    FAMILIES: families,
    MILLRACE_HOME: folder,
    LOG_LEVEL: 'warn',
    VECTOR_MEMORY: String(2 ** 35),
  };
  startApp(main, env, { closers: own, folder }).catch(() => {});
  return { stop: () => own.close() };
}

/** @param {Millrace} mill @param {number} count */
async function vectorsOf(mill, count) {
  const floats = count * dimensions;
  if (existsSync(options.vectors)) {
    const bytes = readFileSync(options.vectors);
    if (bytes.length >= floats * 4) return new Float32Array(bytes.buffer, bytes.byteOffset, floats);
  }
  const texts = readDefinitions(count);
  terminal.step(`embedding ${count} definitions …`);
  const all = new Float32Array(floats);
  const at = performance.now();
  for (let start = 0; start < count; start += 2000) {
    const part = await mill.embed(texts.slice(start, start + 2000));
    for (const [index, vector] of part.entries()) all.set(vector, (start + index) * dimensions);
    if (start % 20_000 === 0)
      terminal.step(
        `${start + part.length} embedded, ${Math.round(((start + part.length) / (performance.now() - at)) * 1000)} a second`,
      );
  }
  writeFileSync(options.vectors, new Uint8Array(all.buffer));
  return all;
}

/** @param {Float32Array} all @param {number} index */
const rowOf = (all, index) => all.subarray(index * dimensions, (index + 1) * dimensions);

/** @param {Float32Array} vector */
const base64 = (vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');

/** @param {Millrace} mill @param {string} collection @param {Float32Array} all @param {{ from: number, to: number }} range */
async function upsert(mill, collection, all, { from, to }) {
  /** @type {Promise<unknown>[]} */
  const tasks = [];
  for (let start = from; start < to; start += 1000) {
    const points = Array.from({ length: Math.min(1000, to - start) }, (_, offset) => {
      const id = start + offset;
      return { id: `d${id}`, vector: base64(rowOf(all, id)), metadata: { number: id, share: id % 10_000 } };
    });
    const task = await mill.enqueue('vector.upsert', { collection, points }, { waitForRoomMs: waitMs });
    tasks.push(task.result({ timeoutMs: waitMs }));
    if (tasks.length % 8 === 0) await Promise.all(tasks.slice(-8));
  }
  await Promise.all(tasks);
}

/** @param {Millrace} mill @param {string} collection @param {(replica: import('@millrace/shared/tasks/vector/collection-view').CollectionView['workers'][number]) => boolean} isSo */
async function untilReplica(mill, collection, isSo) {
  for (;;) {
    const { workers } = await mill.collection(collection);
    if (workers.length > 0 && workers.every(isSo)) return;
    await sleep(200);
  }
}

/** @param {Millrace} mill @param {string} collection @param {string[]} queries @param {object} ask */
async function searchAll(mill, collection, queries, ask) {
  const inputs = [];
  for (let start = 0; start < queries.length; start += queriesPerTask) {
    inputs.push({ collection, vectors: queries.slice(start, start + queriesPerTask), topK: k, ...ask });
  }
  const begin = performance.now();
  const tasks = await mill.enqueueMany('vector.search', inputs);
  const results = await Promise.all(tasks.map((task) => task.result({ timeoutMs: waitMs })));
  return { ms: performance.now() - begin, found: results.flatMap((result) => result.results) };
}

/** @param {{ hits: { id: string }[] }[]} found @param {{ hits: { id: string }[] }[]} truth */
function recallOf(found, truth) {
  let hits = 0;
  let wanted = 0;
  truth.forEach(({ hits: exact }, index) => {
    const ids = new Set(found[index]?.hits.map(({ id }) => id));
    hits += exact.filter(({ id }) => ids.has(id)).length;
    wanted += exact.length;
  });
  return hits / wanted;
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** @param {{ mill: Millrace, redisUrl: string, all: Float32Array, count: number, queries: string[] }} bench */
async function benchCollection({ mill, redisUrl, all, count, queries }) {
  const collection = `c${count}`;
  const name = `${count.toLocaleString('en')} points`;
  terminal.step(`${name}: writing …`);
  await mill.createCollection(collection, { dimensions, metric: 'cosine' });
  const begin = performance.now();
  const held = 10_000;
  await upsert(mill, collection, all, { from: 0, to: count - held });
  await untilReplica(mill, collection, ({ toIndex, lag }) => toIndex === 0 && lag === 0);
  report(
    `${name}: written and indexed, points a second`,
    ((count - held) / ((performance.now() - begin) / 1000)).toFixed(0),
  );
  const lateAt = performance.now();
  await upsert(mill, collection, all, { from: count - held, to: count });
  const searchedAt = performance.now();
  await searchAll(mill, collection, queries.slice(0, 1), {});
  report(`${name}: upsert of ${held} points, s`, ((searchedAt - lateAt) / 1000).toFixed(2));
  report(
    `${name}: the first search right after it, s (goal below 1)`,
    ((performance.now() - searchedAt) / 1000).toFixed(3),
  );
  await untilReplica(mill, collection, ({ toIndex }) => toIndex === 0);

  const truth = (await searchAll(mill, collection, queries, { exact: true })).found;
  const approximate = (await searchAll(mill, collection, queries, { exact: false })).found;
  report(`${name}: recall@10 at defaults (goal 0.95)`, recallOf(approximate, truth).toFixed(4));
  await benchSpeed({ mill, redisUrl, collection, name, queries });
  await benchFilters({ mill, collection, name, count, queries: queries.slice(0, queriesPerTask) });
  await benchStart({ mill, redisUrl, collection, name, queries });
}

/** @param {{ mill: Millrace, redisUrl: string, collection: string, name: string, queries: string[] }} bench */
async function benchSpeed({ mill, redisUrl, collection, name, queries }) {
  terminal.step(`${name}: waiting for its snapshot …`);
  const snapshots = join(folder, 'snapshots', encodeURIComponent('{millrace}'));
  let file = '';
  while (file === '') {
    await sleep(500);
    const of = existsSync(snapshots)
      ? readdirSync(snapshots).filter((entry) => entry.startsWith(`${collection}-`))
      : [];
    for (const entry of of) {
      const newest = readdirSync(join(snapshots, entry))
        .filter((version) => !version.startsWith('.'))
        .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))[0];
      if (newest !== undefined) file = join(snapshots, entry, newest, 'index');
    }
  }
  const bare = await forkReady('vectors/bare-child.mjs', [file, String(dimensions)], {
    closers,
    folder,
    redisUrl,
    cores: availableParallelism(),
    signal,
  });
  const { hnsw } = await mill.collection(collection);
  const numbers = queries.map((query) => [...new Float32Array(new Uint8Array(Buffer.from(query, 'base64')).buffer)]);
  // Some seconds of work, so that what a pipeline takes to fill and to empty is small beside it.
  const repeated = Array.from({ length: timesAsked }, () => queries).flat();
  const ratios = [];
  let ours = 0;
  let theirs = 0;
  for (let round = 0; round <= Number(options.rounds); round += 1) {
    bare.send({ queries: Array.from({ length: timesAsked }, () => numbers).flat(), k, ef: hnsw.ef });
    const [{ ms: bareMs }] = await once(bare, 'message');
    const { ms } = await searchAll(mill, collection, repeated, { exact: false });
    if (round === 0) continue; // both warm
    ratios.push(bareMs / ms);
    ours = (repeated.length / ms) * 1000;
    theirs = (repeated.length / bareMs) * 1000;
  }
  report(`${name}: queries a second, bare hnswlib-node`, theirs.toFixed(0));
  report(`${name}: queries a second, Millrace, ${queriesPerTask} a task`, ours.toFixed(0));
  report(`${name}: of bare hnswlib-node, median of ${ratios.length} rounds (goal 0.9)`, median(ratios).toFixed(2));
  bare.disconnect();
}

/** @param {{ mill: Millrace, collection: string, name: string, count: number, queries: string[] }} bench */
async function benchFilters({ mill, collection, name, count, queries }) {
  for (const share of [0.0001, 0.001, 0.01, 0.1, 0.3, 0.5, 1]) {
    const filter = { share: { $lt: Math.round(share * 10_000) } };
    const truth = (await searchAll(mill, collection, queries, { filter, exact: true })).found;
    const { ms, found } = await searchAll(mill, collection, queries, { filter });
    const matches = Math.min(k, Math.floor(count * share));
    const full = found.every(({ hits }) => hits.length === matches) ? '' : ', NOT ALL POINTS';
    const way = found[0]?.exact ? 'exact' : 'index';
    report(
      `${name}: filter passes ${share * 100} %: recall@10, queries a second, way`,
      `${recallOf(found, truth).toFixed(4)}  ${((queries.length / ms) * 1000).toFixed(0)}  ${way}${full}`,
    );
  }
}

/** @param {{ mill: Millrace, redisUrl: string, collection: string, name: string, queries: string[] }} bench */
async function benchStart({ mill, redisUrl, collection, name, queries }) {
  await worker?.stop();
  const began = performance.now();
  worker = startWorker(redisUrl, 'vector');
  await searchAll(mill, collection, queries.slice(0, 1), {});
  report(
    `${name}: a new worker with a snapshot answers after, s (goal 10 at 100,000)`,
    ((performance.now() - began) / 1000).toFixed(1),
  );
  await untilReplica(mill, collection, ({ points }) => points > 0); // told once a second
  const beat = (await mill.collection(collection)).workers[0];
  report(`${name}: memory of the replica, MB (by its own estimate)`, ((beat?.bytes ?? 0) / 1e6).toFixed(0));
}

/** @type {{ stop(): Promise<void> } | undefined} */
let worker;
try {
  const redis = await startServer({
    binary: process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server',
    dir: join(folder, 'redis'),
    logFile: join(folder, 'redis.log'),
    detached: true,
  });
  closers.add(() => redis.stop());
  const mill = new Millrace({ redisUrl: redis.url });
  closers.add(() => mill.close());
  const counts = options.points.split(',').map(Number);
  worker = startWorker(redis.url, 'inference,vector');
  const all = await vectorsOf(mill, Math.max(...counts) + queryCount);
  await worker.stop();
  worker = startWorker(redis.url, 'vector');
  terminal.step(`${availableParallelism()} cores, Node ${process.version}, Redis on this machine`);
  const queries = Array.from({ length: queryCount }, (_, index) => base64(rowOf(all, Math.max(...counts) + index)));
  for (const count of counts) await benchCollection({ mill, redisUrl: redis.url, all, count, queries });
} finally {
  await closers.close();
}
