import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type {} from 'vitest'; // TypeScript 7 augments only a module that the file imports
import type { TestProject } from 'vitest/node';
import { startRedis } from './private-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Redis that all test files share: keep to a key prefix of your own. `inject('redisUrl')` gives it. */
    redisUrl: string;
  }
}

/** Short, for the paths of sockets may have 107 characters. */
const folderName = 'mill-';

/**
 * vitest's globalSetup, called once for each project: one private Redis, and one folder for all temporary files, which tests inherit as
 * TMPDIR. The function returned is the teardown.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const outer = tmpdir();
  // The projects share the folder of the first.
  const folder = basename(outer).startsWith(folderName) ? undefined : mkdtempSync(join(outer, folderName));
  if (folder !== undefined) process.env['TMPDIR'] = folder;
  const redis = await startRedis();
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}
