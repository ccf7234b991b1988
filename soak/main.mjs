// npm run soak: a million texts through one worker, and whether anything that holds memory grows.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Closers } from '../bench/closers.mjs';
import { runUntilStopped } from '../scripts/setup/run-until-stopped.mjs';
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
  await runUntilStopped(new Closers(), (params) => soak(options, params));
}

main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
