import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Counts for the line `N passed, N failed` that ends `npm test`. Under `npm test` they go to the file that
 * scripts/setup/run-tests.mjs names, since vitest itself still prints after its reporters; else they are printed.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length };
    for (const module of modules) addModule(counts, module);
    const file = process.env['MILLRACE_TEST_COUNTS_FILE'];
    if (file === undefined) process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
    else writeFileSync(file, JSON.stringify(counts));
  }
}

/** A file or a describe block that could not be loaded or set up runs none of its tests, and counts as one failed. */
function addModule(counts: { passed: number; failed: number }, module: TestModule): void {
  if (module.errors().length > 0) counts.failed += 1;
  for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed += 1;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') counts.passed += 1;
    if (state === 'failed') counts.failed += 1;
  }
}
