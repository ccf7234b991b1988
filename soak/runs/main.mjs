// npm run runs:soak: a large run killed in the middle, and a large file, with what they cost.
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../../bench/closers.mjs';
import { startServer } from '../../scripts/redis/server.mjs';
import { watchStopRequests } from '../../scripts/setup/stop-requests.mjs';
import { createTerminal } from '../../scripts/setup/terminal.mjs';
import { shortText } from '../texts.mjs';
import { Mill } from './mill.mjs';
import { parseOptions } from './options.mjs';

/**
 * @typedef {object} Soak
 * @property {import('./options.mjs').Options} options
 * @property {Closers} closers
 * @property {string} folder
 * @property {string} redisUrl
 * @property {(text: string) => void} say
 */

/** Texts of one task of a run; a constant of the API. */
const textsPerTask = 64;

/**
 * @param {string} path
 * @param {Iterable<string>} lines
 */
async function writeLines(path, lines) {
  const stream = createWriteStream(path);
  let bytes = 0;
  for (const line of lines) {
    bytes += line.length + 1;
    if (!stream.write(`${line}\n`)) await new Promise((resolve) => stream.once('drain', () => resolve(undefined)));
  }
  await new Promise((resolve) => stream.end(() => resolve(undefined)));
  return bytes;
}

/** @param {number} count */
function* embedLines(count) {
  for (let index = 0; index < count; index += 1) {
    const body = { model: 'all-MiniLM-L6-v2', input: shortText(index) };
    yield JSON.stringify({ custom_id: `line-${index}`, method: 'POST', url: '/v1/embeddings', body });
  }
}

/** @param {number} megabytes */
function* cleanLines(megabytes) {
  const text = Array.from({ length: 60 }, (_, index) => shortText(index)).join(' ');
  for (let index = 0, bytes = 0; bytes < megabytes * 1e6; index += 1) {
    const body = { type: 'text.clean', input: { texts: [`${index} ${text}`], format: 'plain' } };
    const line = JSON.stringify({ custom_id: `line-${index}`, method: 'POST', url: '/v1/tasks', body });
    bytes += line.length + 1;
    yield line;
  }
}

/**
 * @param {Mill} mill
 * @param {string} id
 */
async function outputOf(mill, id) {
  const batch = await mill.untilEnded(id);
  if (batch.status !== 'completed') throw new Error(JSON.stringify(batch));
  const seconds = (batch.completed_at ?? 0) - batch.created_at;
  return { seconds, counts: batch.request_counts, ...(await mill.digest(batch.output_file_id ?? '')) };
}

/**
 * The same run undisturbed and killed.
 *
 * @param {Soak} soak
 */
async function killedRun({ options, closers, folder, redisUrl, say }) {
  const path = join(folder, 'embed.jsonl');
  await writeLines(path, embedLines(options.lines));
  const quiet = new Mill(redisUrl, folder, '{quiet}');
  closers.add(() => quiet.close());
  await quiet.start();
  const whole = await outputOf(quiet, await quiet.begin(path, '/v1/embeddings'));
  const peak = quiet.api?.peakMegabytes;
  await quiet.close();
  say(
    `undisturbed: ${whole.lines} lines in ${whole.seconds} s, ${(whole.bytes / 1e6).toFixed(0)} MB, API at most ${peak} MB`,
  );
  const mill = new Mill(redisUrl, folder, '{killed}');
  closers.add(() => mill.close());
  await mill.start();
  const id = await mill.begin(path, '/v1/embeddings');
  await mill.until(id, ({ progress }) => progress.done >= options.killedAt * options.lines);
  await mill.stop('SIGKILL');
  const held = await mill.counts();
  const killedAt = Date.now();
  await mill.start();
  const begun = await mill.until(id, () => true);
  const done = begun.progress.done;
  const output = await outputOf(mill, id);
  const settled = done + held.completed * textsPerTask;
  const computed = await mill.computed();
  say(`killed at ${done} lines (${held.completed} tasks more had ended, ${held.active} were held by the worker)`);
  say(`ended ${((Date.now() - killedAt) / 1000).toFixed(0)} s later; then ${computed} texts were computed`);
  const isSame = output.sha256 === whole.sha256;
  say(`the same bytes: ${isSame}; redone at most ${held.active * textsPerTask} lines that the worker held`);
  await mill.close();
  return isSame && computed <= options.lines - Math.min(settled, options.lines) + held.completed * textsPerTask;
}

/**
 * A file that is far larger than the memory of the API.
 *
 * @param {Soak} soak
 */
async function largeFile({ options, closers, folder, redisUrl, say }) {
  const path = join(folder, 'clean.jsonl');
  const bytes = await writeLines(path, cleanLines(options.megabytes));
  const mill = new Mill(redisUrl, folder, '{large}');
  closers.add(() => mill.close());
  await mill.start();
  const began = performance.now();
  const id = await mill.begin(path, '/v1/tasks');
  say(
    `${(bytes / 1e6).toFixed(0)} MB uploaded in ${((performance.now() - began) / 1000).toFixed(1)} s, API at most ${mill.api?.peakMegabytes} MB`,
  );
  const output = await outputOf(mill, id);
  const peak = mill.api?.peakMegabytes ?? Number.POSITIVE_INFINITY;
  say(
    `${output.lines} tasks in ${output.seconds} s, output ${(output.bytes / 1e6).toFixed(0)} MB, API at most ${peak} MB`,
  );
  await mill.close();
  return output.lines === output.counts?.total && peak <= options.megabytesOfMemory;
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stdout.write(options);
    return;
  }
  const requests = watchStopRequests();
  const closers = new Closers();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-runs-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const binary = process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server';
    const server = await startServer({ binary, dir: join(folder, 'redis'), logFile: join(folder, 'redis.log') });
    closers.add(() => server.stop('SIGKILL'));
    const soak = { options, closers, folder, redisUrl: server.url, say: createTerminal().step };
    const isStopped = new Promise((resolve) =>
      requests.stop.addEventListener('abort', () => resolve(false), { once: true }),
    );
    const all = (async () =>
      (options.lines === 0 || (await killedRun(soak))) && (options.megabytes === 0 || (await largeFile(soak))))();
    all.catch(() => {});
    process.exitCode = (await Promise.race([all, isStopped])) ? 0 : 1;
  } finally {
    await closers.close();
    requests.release();
  }
  process.exit();
}

main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
