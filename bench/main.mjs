// npm run bench: the model alone, naive BullMQ and Millrace, side by side in one run. It measures; it never fails for a ratio.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../scripts/redis/server.mjs';
import { watchStopRequests } from '../scripts/setup/stop-requests.mjs';
import { createTerminal } from '../scripts/setup/terminal.mjs';
import { Closers } from './closers.mjs';
import { openContenders } from './contenders.mjs';
import { measure } from './measure.mjs';
import { parseOptions } from './options.mjs';
import { reportOf } from './report.mjs';

/** @typedef {import('./contender.mjs').Bench} Bench */

/**
 * @param {import('./options.mjs').Options} options
 * @param {Pick<Bench, 'closers' | 'signal'>} run
 */
async function bench(options, { closers, signal }) {
  const terminal = createTerminal();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const redis = await startServer({
    binary: process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server',
    dir: join(folder, 'redis'),
    logFile: join(folder, 'redis.log'),
    detached: true, // a Ctrl-C must not end it before those who use it
    signal,
  });
  closers.add(() => redis.stop());
  const cores = availableParallelism();
  terminal.step(`opening the contenders on ${cores} cores …`);
  const opened = await openContenders({ cores, redisUrl: redis.url, folder, closers, signal }, options);
  const measured = await measure(opened, options, terminal);
  const report = options.json
    ? JSON.stringify({ node: process.version, cores, ...measured }, null, 2)
    : `\n${reportOf(measured)}`;
  process.stdout.write(`${report}\n`);
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stdout.write(options);
    return;
  }
  const requests = watchStopRequests();
  const closers = new Closers();
  const stopped = new Promise((resolve) => requests.stop.addEventListener('abort', resolve, { once: true }));
  try {
    const run = bench(options, { closers, signal: requests.stop });
    run.catch(() => {}); // once stopped, children that end make it fail
    await Promise.race([run, stopped]);
  } finally {
    await closers.close();
    requests.release();
  }
  // What was still being opened must not go on.
  if (requests.stop.aborted) process.exit(130);
}

main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
