import type {} from 'vitest'; // TypeScript 7 augments only a module that the file imports
import type { TestProject } from 'vitest/node';
import { startRedis } from './private-redis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Redis that all test files share: keep to a key prefix of your own. `inject('redisUrl')` gives it. */
    redisUrl: string;
  }
}

/** vitest's globalSetup: one private Redis for the whole run. The function returned is the teardown. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startRedis();
  project.provide('redisUrl', redis.url);
  return () => redis.stop();
}
