// npm run chaos: real processes, real faults, and a ledger that everything is held against in the end.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../bench/closers.mjs';
import { runUntilStopped } from '../scripts/setup/run-until-stopped.mjs';
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
  await runUntilStopped(new Closers(), (params) => chaos(options, params));
}

main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
