import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { foundIn } from './redact-texts.ts';

interface Line {
  readonly text: string;
  readonly region?: string;
}

/** What nobody can tell from what it looks like, and why it is taken for that. */
const mistaken = new Map([
  ['2.4.6.8', 'nothing before it says that it is a chapter'],
  ['11.0.23.4', 'names of products are many'],
  ['2147483647', 'a telephone number of Dallas'],
]);

const lines = readFileSync(new URL('../../../quality/data/redact-left.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Line => JSON.parse(line));

describe('text.redact leaves alone what only looks like something', () => {
  it.each(lines)('$text', async ({ text, region }) => {
    const found = await foundIn(text, region === undefined ? {} : { region });
    expect(found.filter((finding) => !mistaken.has(finding.split(' ')[1] ?? ''))).toEqual([]);
  });

  it('a card of which any one digit is another', async () => {
    const card = '4111111111111111';
    for (let place = 0; place < card.length; place += 1) {
      const digit = (Number(card[place]) + 3) % 10;
      expect(await foundIn(`${card.slice(0, place)}${digit}${card.slice(place + 1)}`)).toEqual([]);
    }
  });

  it('an account number of which any two neighbours have changed places', async () => {
    const account = 'DE89370400440532013000';
    for (let place = 2; place < account.length - 1; place += 1) {
      const [one, other] = [account[place], account[place + 1]];
      if (one === other) continue;
      expect(await foundIn(`${account.slice(0, place)}${other}${one}${account.slice(place + 2)}`)).toEqual([]);
    }
  });
});
