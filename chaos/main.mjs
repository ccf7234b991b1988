// npm run chaos: real processes, real faults, and a ledger that everything is held against in the end.
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../bench/closers.mjs';
import { watchStopRequests } from '../scripts/setup/stop-requests.mjs';
import { createTerminal } from '../scripts/setup/terminal.mjs';
import { commandOf, parseOptions } from './options.mjs';
import { isClean, reportOf } from './report.mjs';
import { runChaos } from './run.mjs';

/**
 * Its logs stay when something is wrong.
 *
 * @param {import('./options.mjs').Options} options
 * @param {{ closers: Closers, signal: AbortSignal }} params
 */
async function chaos(options, { closers, signal }) {
  const terminal = createTerminal();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  let isWrong = false;
  closers.add(() => {
    if (!options.keep && !isWrong) rmSync(folder, { recursive: true, force: true });
  });
  terminal.say(`chaos seed ${options.seed}: ${commandOf(options)}`);
  const binary = process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server';
  try {
    const facts = await runChaos({ options, closers, signal, folder, binary, say: terminal.step });
    process.stdout.write(`${reportOf(facts)}\n`);
    isWrong = !isClean(facts.findings);
    return isWrong ? 1 : 0;
  } catch (error) {
    isWrong = !signal.aborted;
    if (isWrong) terminal.say(`It broke off; the logs are in ${folder}`);
    throw error;
  }
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
    const run = chaos(options, { closers, signal: requests.stop });
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
