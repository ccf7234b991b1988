import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {} from 'vitest'; // TypeScript 7 augments only a module that the file imports
import type { TestProject } from 'vitest/node';
import { startRedis } from './private-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Redis that all test files share: keep to a key prefix of your own. `inject('redisUrl')` gives it. */
    redisUrl: string;
  }
}

/**
 * vitest's globalSetup: one private Redis for the whole run, and one folder for all temporary files, which tests inherit as TMPDIR. The
 * function returned is the teardown.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-run-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  const redis = await startRedis();
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.stop();
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}
