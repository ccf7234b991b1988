// npm run soak: a million texts through one worker, and whether anything that holds memory grows.
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../bench/closers.mjs';
import { watchStopRequests } from '../scripts/setup/stop-requests.mjs';
import { createTerminal } from '../scripts/setup/terminal.mjs';
import { parseOptions } from './options.mjs';
import { isFlat, reportOf } from './report.mjs';
import { runSoak } from './run.mjs';

/**
 * @param {import('./options.mjs').Options} options
 * @param {{ closers: Closers, signal: AbortSignal }} params
 */
async function soak(options, { closers, signal }) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-soak-'));
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const binary = process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server';
  const facts = await runSoak({ options, closers, signal, folder, binary, say: createTerminal().step });
  process.stdout.write(`${reportOf(facts)}\n`);
  return isFlat(facts) ? 0 : 1;
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stdout.write(options);
    return;
  }
  const requests = watchStopRequests();
  setMaxListeners(0, requests.stop); // whoever waits listens
  const closers = new Closers();
  const stopped = new Promise((resolve) => requests.stop.addEventListener('abort', resolve, { once: true }));
  try {
    const run = soak(options, { closers, signal: requests.stop });
    run.catch(() => {}); // once stopped, processes that end make it fail
    process.exitCode = /** @type {number | undefined} */ (await Promise.race([run, stopped.then(() => 130)])) ?? 1;
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
