// npm run fuzz: requests and jobs that nobody would send, and whether the mill bears them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../bench/closers.mjs';
import { runUntilStopped } from '../scripts/setup/run-until-stopped.mjs';
import { createTerminal } from '../scripts/setup/terminal.mjs';
import { parseOptions } from './options.mjs';
import { isWell, reportOf } from './report.mjs';
import { runFuzz } from './run.mjs';

/**
 * @param {import('./options.mjs').Options} options
 * @param {{ closers: Closers, signal: AbortSignal }} params
 */
async function fuzz(options, { closers, signal }) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  if (!options.keep) closers.add(() => rmSync(folder, { recursive: true, force: true }));
  const { step } = createTerminal();
  step(`seed ${options.seed}${options.keep ? `, logs in ${folder}` : ''}`);
  const binary = process.env['MILLRACE_TEST_REDIS_BINARY'] ?? 'redis-server';
  const facts = await runFuzz({ options, closers, signal, folder, binary, say: step });
  process.stdout.write(`${reportOf(facts)}\n`);
  return isWell(facts) ? 0 : 1;
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stdout.write(options);
    return;
  }
  await runUntilStopped(new Closers(), (params) => fuzz(options, params));
}

main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
