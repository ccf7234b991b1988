import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TokenCounter } from '../src/models/tokenizers.ts';
import { Tokenizers } from '../src/models/tokenizers.ts';
import { chunkText } from '../src/text/chunk/chunker.ts';
import { graphemeEnds } from '../src/text/chunk/graphemes.ts';
import { book, chunksOf, faultsOf, modelCount, textsOf } from './chunk-texts.ts';
import { makeOtherTokenizers } from './other-tokenizers.ts';

let count: (text: string) => number;
beforeAll(async () => {
  count = await modelCount();
});

/** What makes cutting and counting hard: marks that join, letters whose small form depends on neighbours, words of no model. */
const hard = [
  ...[
    ' ',
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    '\t',
    '\v',
    '\f',
    '\0',
    '\u00a0',
    '\u200b',
    '\u2028',
    '\u2029',
    '\u3000',
    '\ufeff',
    '\u0085',
  ],
  ...[
    'the',
    'mill',
    'unbelievable',
    'Σ',
    'ΑΣ',
    'σ',
    'İ',
    'ß',
    'ﬁ',
    '𝒳',
    "'",
    '.',
    ':',
    '·',
    '’',
    '. ',
    '! ',
    'Mr. ',
    '# Head',
    '- item',
  ],
  ...[
    '\u0301',
    '\u200d',
    'ẑ̸̛̳',
    '👩',
    '👩‍👩‍👧‍👦',
    '🇩🇪',
    '🇩',
    '👍🏽',
    '\ud83d',
    '\udc00',
    '\u0600',
    '\u06dd',
    'क',
    '्',
    'ा',
    'สวัสดี',
    '\u0e33',
  ],
  ...[
    '今',
    '日',
    '𠀀',
    '豈',
    '\u{e0100}',
    '。',
    '、',
    '「',
    '」',
    '“',
    '”',
    '：',
    '！',
    'は',
    'ー',
    'ﾞ',
    '한',
    'ᄒ',
    'ᅡ',
    'ᆫ',
  ],
  ...['[CLS]', '[UNK', 'x'.repeat(101), 'QmFzZTY0'.repeat(9), '<p>', '</p>', 'http://a.b/c?d=e'],
];
const hardText = fc
  .uniqueArray(fc.constantFrom(...hard), { minLength: 1, maxLength: 10 })
  .chain((few) =>
    fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...few) }, fc.constantFrom(...hard)), { maxLength: 200 }),
  )
  .map((parts) => parts.join(''));
const limits = fc
  .constantFrom(8, 9, 16, 32, 256)
  .chain((maxTokens) =>
    fc.record({ maxTokens: fc.constant(maxTokens), overlapTokens: fc.nat(Math.ceil(maxTokens / 2) - 1) }),
  );

describe('A chunk', () => {
  it('is never longer than asked, counted as the embedding model counts, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(hardText, limits, async (text, asked) => {
        expect(faultsOf(text, await chunksOf(text, asked), { ...asked, count })).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('is not longer with any text of Unicode either', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), limits, async (text, asked) => {
        expect(faultsOf(text, await chunksOf(text, asked), { ...asked, count })).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('has all of a book, up to 256 tokens each, with nothing between but white space', async () => {
    const chunks = await chunksOf(book);
    expect(faultsOf(book, chunks, { maxTokens: 256, count })).toEqual([]);
    const mean = chunks.reduce((sum, { tokens }) => sum + tokens, 0) / chunks.length;
    expect(mean).toBeGreaterThan(150);
  });

  it.each([
    ['an empty text', ''],
    ['white space', ' \r\n\t\u00a0\u3000\v\ufeff '],
  ])('is not made of %s', async (_, text) => {
    expect(await chunksOf(text)).toEqual([]);
  });

  it.each([
    ['NUL', '\0'.repeat(5000)],
    ['lone surrogates', 'a\ud800 \udc00b '.repeat(500)],
    ['a word of 100 kB', 'a'.repeat(100_000)],
    [
      'a word of 100 kB without a pattern',
      Array.from({ length: 12_500 }, (_, index) => (index * 2654435761).toString(36).slice(-8)).join(''),
    ],
    ['100 kB of ideographs without a mark', '我们在村子里看见一座老磨坊它的轮子'.repeat(2000)],
    ['emoji without white space', '👩‍👩‍👧‍👦🇩🇪👍🏽'.repeat(2000)],
    ['one grapheme of 20,000 marks', `a${'\u0301'.repeat(20_000)} b`],
    ['Hindi, letter on letter', 'नमस्तेदुनियाक्याहालहै'.repeat(500)],
    ['Thai, which has no spaces', 'สวัสดีชาวโลกวันนี้อากาศดีมาก'.repeat(500)],
    ['brackets alone', '「'.repeat(5000)],
    ['a page of HTML', '<div class="a"><p>The mill <b>turns</b>.</p></div>'.repeat(300)],
  ])('is made well of %s', async (_, text) => {
    const chunks = await chunksOf(text, { maxTokens: 64 });
    expect(faultsOf(text, chunks, { maxTokens: 64, count })).toEqual([]);
    // None that is megabytes because the model makes one unknown token of it, but for a grapheme that is.
    const longest = Math.max(...chunks.map(({ text: part }) => part.length));
    if (!text.includes('\u0301')) expect(longest).toBeLessThan(3000);
  });

  it('does not go across white space of more than 256 characters', async () => {
    expect(await textsOf(`a${' '.repeat(257)}b${'\n'.repeat(256)}c`)).toEqual(['a', `b${'\n'.repeat(256)}c`]);
  });

  it('begins and ends with no white space of any kind', async () => {
    expect(await textsOf('\u00a0\t\r\n\v\f the mill \ufeff\r\n\u00a0')).toEqual(['the mill']);
    // But a space that carries an accent is a character of its own.
    expect(await textsOf(' \u0301a \u0301')).toEqual([' \u0301a \u0301']);
  });

  it('ends lines as they were', async () => {
    expect(await textsOf('one\r\ntwo\r\n\r\nthree\r\n')).toEqual(['one\r\ntwo\r\n\r\nthree']);
  });
});

describe('A grapheme', () => {
  const joined = fc.constantFrom(...hard, 'a', 'b', '👩‍👩‍👧‍👦', '🇩🇪', '\u0301'.repeat(70), 'क्षि');
  const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

  it('ends where Intl.Segmenter says, though it is shown a few characters at a time', () => {
    fc.assert(
      fc.property(fc.array(joined, { maxLength: 100 }), (parts) => {
        const text = parts.join('').replaceAll('\r', '');
        const ends = [...segmenter.segment(text)].map(({ index, segment }) => index + segment.length);
        expect([...graphemeEnds(text, 0, text.length)]).toEqual(ends);
      }),
      // A window that ends in the middle of a character, behind a joiner.
      { numRuns: 500, examples: [[[...Array(4).fill('🇩🇪'), ...Array(10).fill('👩‍👩‍👧‍👦')]]] },
    );
  });
});

describe('A tokenizer of another kind', () => {
  it.each(['bytes', 'pieces'])('counts its own chunks (%s)', async (model) => {
    const made = makeOtherTokenizers();
    try {
      const counter = await new Tokenizers(made.dir).open(model);
      expect(counter.addsUp).toBe(false);
      fc.assert(
        fc.property(hardText, limits, (text, asked) => {
          const chunks = chunkText(text, counter, asked);
          expect(faultsOf(text, chunks, { ...asked, count: (part) => counter.count(part) })).toEqual([]);
        }),
        { numRuns: 200 },
      );
    } finally {
      made.remove();
    }
  });

  it('gives a grapheme that is over the limit a chunk of its own, with its true count', async () => {
    const made = makeOtherTokenizers();
    try {
      const counter = await new Tokenizers(made.dir).open('bytes');
      const chunks = chunkText('a 👩‍👩‍👧‍👦 b', counter, { maxTokens: 8, overlapTokens: 0 });
      expect(chunks.map(({ text, tokens }) => [text, tokens])).toEqual([
        ['a', 3],
        ['👩‍👩‍👧‍👦', 27],
        ['b', 3],
      ]);
    } finally {
      made.remove();
    }
  });

  it('may count a text higher than its parts: the chunk is cut again until it fits', () => {
    /** Two tokens for each pair of letters of the text, as no tokenizer does: a whole has far more than its parts. */
    const count = (text: string) => 2 + Math.ceil(text.length ** 1.5 / 4);
    const counter: TokenCounter = {
      ...{ model: 'odd', fingerprint: 'odd', frameTokens: 2, readableTokens: 256, addsUp: false },
      count,
      countWord: (word) => count(word) - 2,
    };
    fc.assert(
      fc.property(hardText, limits, (text, asked) => {
        expect(faultsOf(text, chunkText(text, counter, asked), { ...asked, count })).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
