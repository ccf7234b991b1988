import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.mjs';
import { withSetUp } from './run-setup.mjs';

/** @typedef {{ passed: number, failed: number }} Counts */

/** `npm test -- ARGS`: set-up, then vitest; the last line on stdout is always `N passed, N failed`. */
export async function main() {
  /** @type {Counts} */
  let counts = { passed: 0, failed: 0 };
  await withSetUp(async (setUp) => {
    const run = await runVitest(setUp);
    counts = run.counts;
    return run.code;
  });
  // A run that fails without a failed test (a set-up that broke, no test found, a signal) must not count as green.
  if (process.exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
}

/**
 * The counts come through a file, since vitest still prints after its reporters have ended.
 *
 * @param {import('./run-setup.mjs').SetUp} setUp
 * @returns {Promise<{ code: number, counts: Counts }>}
 */
async function runVitest({ root, env, signal, binary }) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tests-'));
  const countsFile = join(folder, 'counts.json');
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const code = await runProgram([vitest, 'run', ...process.argv.slice(2)], {
      cwd: root,
      env: { ...env, MILLRACE_TEST_REDIS_BINARY: binary, MILLRACE_TEST_COUNTS_FILE: countsFile },
      signal,
    });
    return { code, counts: readCounts(countsFile) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} path
 * @returns {Counts}
 */
function readCounts(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 0 }; // vitest ended before any test ran, or without the summary reporter
  }
}
