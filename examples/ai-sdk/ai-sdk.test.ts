import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../test/setup/mill.ts';
import { startWorker, stopProcesses } from '../../test/setup/processes.ts';
import { runExample } from '../../test/setup/run-example.ts';

const script = fileURLToPath(new URL('main.mjs', import.meta.url));
const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
/** In ms; a slow machine embeds some hundred texts in a minute. */
const runLimit = 120_000;

/** The example, as a reader runs it. */
const example = (args: string[] = []) => runExample(script, { redisUrl, prefix }, args);

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
