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

describe('The example of LangChain', () => {
  it(
    'answers from the story that the filter names',
    async () => {
      const [head, ...blocks] = (await example()).split('\n\n');
      expect(head).toMatch(/^[1-9]\d\d paragraphs of 2 stories$/);
      const titlesOf = (block = '') => block.match(/(?<=\()THE [A-Z -]+(?=\)$)/gm);
      expect(blocks.map(titlesOf)).toEqual([
        ['THE RED-HEADED LEAGUE', 'THE RED-HEADED LEAGUE'],
        ['THE ADVENTURE OF THE BLUE CARBUNCLE', 'THE ADVENTURE OF THE BLUE CARBUNCLE'],
      ]);
    },
    runLimit,
  );

  it(
    'may be run again, with a question of the reader to both',
    async () => {
      expect(await example(['Who', 'lost', 'a', 'goose?'])).toContain('(THE ADVENTURE OF THE BLUE CARBUNCLE)');
    },
    runLimit,
  );
});
