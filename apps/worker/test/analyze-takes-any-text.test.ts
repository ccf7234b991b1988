import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyzeOutcome, analyzeText } from './run-text-task.ts';

/** What is likely to trip something: marks, addresses, scripts, controls, halves of characters, names of JavaScript's own. */
const pieces = fc.oneof(
  fc.constantFrom(
    '.',
    '. ',
    '!',
    '?"',
    '\n',
    '\r\n',
    '\n\n',
    '\t',
    ' ',
    '\u00a0',
    '//',
    'http://',
    '@',
    'a@b.co',
    '#',
    ':-)',
  ),
  fc.constantFrom(
    '\ud800',
    '\udc00',
    '\u0000',
    '\u200d',
    '\ufe0f',
    '👨‍👩‍👧',
    '🇩',
    '漢',
    'か。',
    'ก',
    '한',
    'ا',
    'İ',
    'ß',
    '\u0301',
  ),
  fc.constantFrom(
    'Dr. ',
    'U.S. ',
    "can't ",
    'no. ',
    '3rd ',
    '$5 ',
    '10:30 ',
    '1. ',
    'March ',
    'constructor ',
    '__proto__ ',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
);
const text = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''));
const language = fc.constantFrom(undefined, 'en', 'de', 'ja', 'zz');

describe('text.analyze of any text', () => {
  it('gives slices of the text, in order, none over another', async () => {
    await fc.assert(
      fc.asyncProperty(text, language, async (any, given) => {
        const {
          sentences = [],
          entities = [],
          tokens = -1,
          keywords = [],
        } = await analyzeText(any, given === undefined ? {} : { language: given });
        const whole = any.toWellFormed();
        for (const spans of [sentences, entities]) {
          let read = 0;
          for (const { text: slice, start, end } of spans) {
            expect(start).toBeGreaterThanOrEqual(read);
            expect(end).toBeGreaterThan(start);
            expect(whole.slice(start, end)).toBe(slice);
            read = end;
          }
        }
        const content = (part: string) => part.replaceAll(/[^\p{L}\p{N}]/gu, '');
        expect(sentences.map((sentence) => content(sentence.text)).join('')).toBe(content(whole));
        expect(tokens).toBeGreaterThanOrEqual(0);
        for (const { score, count } of keywords) {
          expect(score).toBeGreaterThan(0);
          expect(score).toBeLessThanOrEqual(1);
          expect(count).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same twice', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (any) => {
        expect(await analyzeText(any, { language: 'en' })).toEqual(await analyzeText(any, { language: 'en' }));
      }),
      { numRuns: 50 },
    );
  });

  it('finds nothing in an empty text', async () => {
    const nothing = { sentences: [], tokens: 0, keywords: [], entities: [], sentiment: null };
    for (const empty of ['', ' ', '\n\n\t']) expect(await analyzeText(empty)).toMatchObject(nothing);
  });

  it.each(['//no.no.no.', '//a.1th', 'http://a.', '@a.', '-a', ". '", '\n', '"', "n't", '$1,'])(
    'comes to an end with %j over and over',
    async (piece) => {
      const outcome = await analyzeOutcome(piece.repeat(Math.ceil(200_000 / piece.length)), { language: 'en' });
      expect(outcome.ok).toBe(true);
    },
  );

  it('reads ten megabytes, of prose and of bytes', async () => {
    const prose = 'Dr. Reed keeps the old mill. It turns every day at 10 am, and $3 buys a sack of flour! '.repeat(
      120_000,
    );
    expect((await analyzeText(prose, { features: ['tokens'] })).tokens).toBe(120_000 * 20);
    expect(await analyzeOutcome(prose, { features: ['sentences'] })).toMatchObject({ code: 'INPUT_TOO_LARGE' });
    const bytes = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => (index * 7919) % 251));
    const outcome = await analyzeOutcome(bytes.toString('latin1').repeat(10), { features: ['tokens', 'keywords'] });
    expect(outcome.ok).toBe(true);
  }, 120_000);

  it('says so when a text has more sentences and entities than can be told', async () => {
    const outcome = await analyzeOutcome('😀'.repeat(200_001), { features: ['entities'] });
    expect(outcome).toMatchObject({ ok: false, code: 'INPUT_TOO_LARGE', message: expect.stringContaining('200001') });
    expect((await analyzeOutcome('😀'.repeat(200_001), { features: ['tokens'] })).ok).toBe(true);
  });
});
