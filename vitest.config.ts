import { configDefaults, defineConfig } from 'vitest/config';
import { SummaryReporter } from './test/setup/summary-reporter.ts';

const everywhere = [
  'test/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'apps/*/test/**/*.test.ts',
  'examples/**/*.test.ts',
];
/** What is watched here is the machine itself, its cores and the threads that must never wait: nothing else may run meanwhile. */
const alone = [
  'test/chaos-short.test.ts',
  'test/promises/the-channel-runs.test.ts',
  'test/promises/urgent-goes-first.test.ts',
  'test/promises/workers-share-cores.test.ts',
];
const common = { pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    globalSetup: ['test/setup/redis.ts'],
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: { ...common, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        // Many tests wait most of the time, for locks that lapse and processes that start: two at a time.
        test: {
          ...common,
          name: 'two by two',
          include: everywhere,
          exclude: [...configDefaults.exclude, ...alone],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
