import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { ownPrefix } from '../../test/setup/mill.ts';
import { startWorker, stopProcesses } from '../../test/setup/processes.ts';

const script = fileURLToPath(new URL('main.mjs', import.meta.url));
const redisUrl = inject('redisUrl');
const prefix = ownPrefix();
const run = promisify(execFile);

/**
 * How sentences and their neighbours begin, nearest first. Only neighbours that the next one is well behind (by a cosine of
 * 0.015 and more), for another CPU rounds a little differently.
 */
const expectedNeighbours: [sentence: string, neighbours: string[]][] = [
  ['Ancient Peru', ['What is now Ecuador formed part of the northern Inca Empire']],
  ['I could see at a glance', ['It is my belief that she died of pure fear', 'Something like fear sprang up']],
  ['It is time to set the world right', ['Serious fault might be found with the anatomical details of this whale']],
  ['I tried to burst open the door', ['I threw myself, screaming, against the door', 'Suddenly, without any']],
  ['Profound silence', ['The boys talked little, and only under their breath']],
  ['By the Precedent', ['And consequently that whiteness must be', 'And that in this Composition of white']],
  ['The forest policy of the Administration', ['The forest policy of the Government', 'It is the cardinal principle']],
];
/** In ms; a slow machine embeds 2,000 sentences in a minute. */
const runLimit = 180_000;

/** Runs the example as a reader does. An empty variable counts as none, and wins over a .env. */
async function example(args: string[], env: Record<string, string> = {}): Promise<string> {
  const settings = { PATH: process.env['PATH'], REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix, MILLRACE_HOME: '' };
  const { stdout } = await run(process.execPath, [script, ...args], { env: { ...settings, ...env } });
  return stdout;
}

/** The neighbours that are printed below the heading that begins so: cosine and text, best first. */
function neighboursOf(heading: string, output: string): { cosine: number; text: string }[] {
  const block = output.split('\n\n').find((lines) => lines.startsWith(heading)) ?? '';
  const found = [...block.matchAll(/^ {2}(\d\.\d{3}) {2}(.+)$/gm)];
  return found.map(([, cosine, text = '']) => ({ cosine: Number(cosine), text }));
}

describe('The example that finds the nearest sentences', () => {
  let output: string;

  beforeAll(async () => {
    await startWorker({ redisUrl, prefix, env: { FAMILIES: 'inference' } });
    output = await example([]);
  }, runLimit);
  afterAll(stopProcesses);

  it('says how fast the 2,000 sentences were embedded', () => {
    expect(output).toMatch(/^2,000 sentences in \d+\.\d s: [\d,]+ texts per second$/m);
  });

  it.each(expectedNeighbours)('puts beside "%s …" the sentences that mean the like', (heading, expected) => {
    const neighbours = neighboursOf(heading, output);
    expect(neighbours).toHaveLength(3);
    for (const [at, beginning] of expected.entries()) {
      expect(neighbours[at]?.text.startsWith(beginning), `${at}: ${neighbours[at]?.text}`).toBe(true);
    }
  });

  it('never gives a sentence as its own neighbour, and the nearest first', () => {
    const blocks = output.split('\n\n').slice(1);
    expect(blocks).toHaveLength(7);
    for (const block of blocks) {
      const heading = block.slice(0, block.indexOf('\n'));
      const neighbours = neighboursOf(heading, output);
      expect(neighbours.map(({ text }) => text)).not.toContain(heading);
      expect(neighbours).toEqual([...neighbours].sort((a, b) => b.cosine - a.cosine));
    }
  });

  it(
    'finds what is nearest to a sentence of the reader',
    async () => {
      const heading = 'protecting the woods from loggers';
      const [first] = neighboursOf(heading, await example(heading.split(' ')));
      expect(first?.text).toMatch(/^The great users of timber are themselves forwarding the movement/);
    },
    runLimit,
  );
});

describe('Without a running Millrace', () => {
  let home: string;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'millrace-example-'));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('says in one sentence what to start when there is no Redis to ask', async () => {
    await expect(example([], { REDIS_URL: '', MILLRACE_HOME: home })).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'No Millrace runs here: start Millrace with `npm start` in another terminal and try again.\n',
    });
  });

  it('says so too when its Redis does not answer', async () => {
    const nobody = `redis://127.0.0.1:${await freePort()}`;
    await expect(example([], { REDIS_URL: nobody })).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^The Redis of Millrace does not answer: start Millrace with `npm start`.*\n$/),
    });
  });
});
