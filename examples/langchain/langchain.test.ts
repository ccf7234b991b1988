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
