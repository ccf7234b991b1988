import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../test/setup/mill.ts';
import { startWorker, stopProcesses } from '../../test/setup/processes.ts';

const script = fileURLToPath(new URL('main.mjs', import.meta.url));
const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
/** In ms; a slow machine embeds some hundred texts in a minute. */
const runLimit = 120_000;

/** Runs the example as a reader does. An empty variable counts as none, and wins over a .env. */
async function example(args: string[] = []): Promise<string> {
  const env = { PATH: process.env['PATH'], REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix, MILLRACE_HOME: '' };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { env });
  return stdout;
}

beforeAll(async () => {
  await startWorker({ redisUrl, prefix });
});
afterAll(stopProcesses);

describe('The example of the AI SDK', () => {
  it(
    'finds the sentences that answer a question',
    async () => {
      const output = await example();
      expect(output).toMatch(/^430 sentences, \d{1,2},\d{3} tokens$/m);
      expect(output.split('\n\n')[1]).toMatch(/independen/i);
    },
    runLimit,
  );

  it(
    'answers a question of the reader',
    async () => {
      const output = await example(['Who', 'ruled', 'the', 'Algerians?']);
      expect(output).toContain('After more than a century of rule by France, Algerians');
    },
    runLimit,
  );
});
