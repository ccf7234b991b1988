import { summarize } from '@millrace/shared/tasks/text/summarize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { summarizeText, summaryOutcome } from './run-text-task.ts';

const article =
  'Nobody knows who built the first windmill. A windmill turns wind into power by its sails, and the power grinds grain. My aunt has a red car. ' +
  'The sails of a windmill must face the wind, so the miller turns the whole cap of the mill. In a storm the miller takes the cloth off the sails. ' +
  'Lunch is at noon. Today the power of the wind drives turbines instead of stones.';

/** Sentences that share words with one another, each different. */
function longText(sentences: number): string {
  const words = ['mill', 'river', 'wheel', 'stone', 'grain', 'flour', 'miller', 'water', 'village', 'bridge'];
  return Array.from({ length: sentences }, (_, index) => {
    const own = [index % 10, (index * 7 + 3) % 10, (index * 13 + 5) % 10].map((at) => words[at]);
    return `The ${own[0]} of place ${index} was near the ${own[1]} and the ${own[2]} called name${index % 997}.`;
  }).join(' ');
}

describe('text.summarize', () => {
  it('chooses sentences that tell what the text is about, not asides', async () => {
    const { sentences, of, language } = await summarizeText(article, { sentences: 3 });
    expect(of).toBe(7);
    expect(language).toMatchObject({ code: 'en' });
    const texts = sentences.map(({ text }) => text);
    expect(texts).toHaveLength(3);
    expect(texts).not.toContain('My aunt has a red car.');
    expect(texts).not.toContain('Lunch is at noon.');
    expect(texts.some((text) => text.startsWith('The sails of a windmill'))).toBe(true);
  });

  it('gives them word for word, in the order of the text, the best with score 1', async () => {
    const { sentences } = await summarizeText(article, { sentences: 4 });
    for (const { text, start, end } of sentences) expect(article.slice(start, end)).toBe(text);
    expect(sentences.map(({ start }) => start)).toEqual(sentences.map(({ start }) => start).toSorted((a, b) => a - b));
    expect(Math.max(...sentences.map(({ score }) => score))).toBe(1);
  });

  it('gives three unless told otherwise, and all of a text that has no more', async () => {
    expect((await summarizeText(article)).sentences).toHaveLength(3);
    expect((await summarizeText('One mill. Two mills.')).sentences.map(({ text }) => text)).toEqual([
      'One mill.',
      'Two mills.',
    ]);
  });

  it('does not take what is repeated for what it is about, nor the same thing twice', async () => {
    const footer = 'All rights of this page are reserved by the publisher.';
    const text = article.split('. ').join(`. ${footer} `);
    const { sentences } = await summarizeText(text, { sentences: 4 });
    expect(sentences.filter((sentence) => sentence.text === footer).length).toBeLessThanOrEqual(1);
    const twins =
      'The big mill grinds grain for the village. The big mill grinds grain for the village today. The river drives the mill. Grain comes by boat.';
    const chosen = (await summarizeText(twins, { sentences: 2 })).sentences.map((sentence) => sentence.text);
    expect(chosen.filter((sentence) => sentence.startsWith('The big mill'))).toHaveLength(1);
  });

  it('works in languages without spaces', async () => {
    const text =
      '风车利用风力磨面。我的阿姨有一辆红色的车。风车的叶片必须对着风，所以磨坊主转动风车的顶部。中午吃饭。今天风力带动发电机，而不是风车。';
    const texts = (await summarizeText(text, { sentences: 2 })).sentences.map((sentence) => sentence.text);
    for (const sentence of texts) expect(sentence).toContain('风');
  });

  it('is bounded from 1 to 50 sentences', () => {
    const parse = (sentences: unknown) => summarize.input.safeParse({ texts: ['a'], sentences }).success;
    expect([0, 1, 50, 51, 1.5].map(parse)).toEqual([false, true, true, false, false]);
  });

  it('reads 5,000 sentences, and 100,000', async () => {
    const text = longText(5000);
    const { sentences, of } = await summarizeText(text, { sentences: 50 });
    expect(of).toBe(5000);
    expect(sentences).toHaveLength(50);
    expect((await summarizeText(longText(100_000), { sentences: 5 })).sentences).toHaveLength(5);
  }, 120_000);

  it('gives the same sentences for the same text, and ties as they stand in it', async () => {
    const text = longText(300);
    expect(await summarizeText(text, { sentences: 9 })).toEqual(await summarizeText(text, { sentences: 9 }));
    const equal = 'Mill one alpha. Lake two beta. Hill three gamma. Town four delta.';
    const { sentences } = await summarizeText(equal, { sentences: 2, language: 'en' });
    expect(sentences.map((sentence) => sentence.text)).toEqual(['Mill one alpha.', 'Lake two beta.']);
  });

  it('takes any text', async () => {
    const piece = fc.oneof(
      fc.constantFrom('. ', '!', '\n\n', ' ', 'mill ', 'the ', '漢。', '\ud800', '\u0000', '1 ', '😀', '\u0301'),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    const text = fc.array(piece, { maxLength: 60 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 50 }), async (any, most) => {
        const { sentences, of } = await summarizeText(any, { sentences: most });
        expect(sentences).toHaveLength(Math.min(most, of));
        let read = 0;
        for (const { text: slice, start, end, score } of sentences) {
          expect(start).toBeGreaterThanOrEqual(read);
          expect(any.toWellFormed().slice(start, end)).toBe(slice);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
          read = end;
        }
      }),
    );
    for (const empty of ['', ' \n ', '...']) expect(await summarizeText(empty)).toMatchObject({ sentences: [], of: 0 });
  });

  it('reads ten megabytes', async () => {
    const prose = 'Dr. Reed keeps the old mill. It turns every day at 10 am, and $3 buys a sack of flour! '.repeat(
      120_000,
    );
    const outcome = await summaryOutcome(prose, { sentences: 2 });
    expect(outcome.ok && outcome.value.of).toBe(240_000);
  }, 120_000);
});
