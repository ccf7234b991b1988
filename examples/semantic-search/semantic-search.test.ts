import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ownPrefix } from '../../test/setup/mill.ts';
import { startWorker, stopProcesses } from '../../test/setup/processes.ts';
import { runExample } from '../../test/setup/run-example.ts';

const script = fileURLToPath(new URL('main.mjs', import.meta.url));
const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
/** In ms; a slow machine embeds the book in some minutes. */
const runLimit = 300_000;

/** The example, as a reader runs it. */
const example = (args: string[] = []) => runExample(script, { redisUrl, prefix }, args);

describe('The example that searches a book', () => {
  let output: string;

  beforeAll(async () => {
    await startWorker({ redisUrl, prefix });
    output = await example();
  }, runLimit);
  afterAll(stopProcesses);

  it('makes passages of the twelve stories', () => {
    expect(output).toMatch(/^12 stories, [1-9],\d{3} passages in \d+\.\d s$/m);
  });

  it.each([
    ['Who found the precious stone in the goose?', 'THE ADVENTURE OF THE BLUE CARBUNCLE'],
    ['Why were only men with red hair wanted?', 'THE RED-HEADED LEAGUE'],
  ])('answers "%s" with a passage of the right story', (question, title) => {
    const block = output.split('\n\n').find((lines) => lines.startsWith(question)) ?? '';
    expect(block).toContain(`(${title})`);
  });

  it(
    'finds what is there already the next time, and answers a question of the reader',
    async () => {
      const again = await example(['Who', 'lost', 'a', 'goose?']);
      expect(again).toMatch(/has [1-9],\d{3} passages already/);
      expect(again).toContain('(THE ADVENTURE OF THE BLUE CARBUNCLE)');
    },
    runLimit,
  );
});
