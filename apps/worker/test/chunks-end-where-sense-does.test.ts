import { describe, expect, it } from 'vitest';
import { endsSentence } from '../src/text/chunk/borders.ts';
import { book, chunksOf, modelCount, textsOf } from './chunk-texts.ts';

describe('A chunk ends', () => {
  it('at the end of a paragraph: none that fits is ever cut', async () => {
    const count = await modelCount();
    const paragraphs = book.split(/\n{2,}/).map((text) => text.trim());
    const chunks = await textsOf(book, { maxTokens: 128 });
    const cut = paragraphs.filter((text) => count(text) <= 128 && !chunks.some((chunk) => chunk.includes(text)));
    expect(cut).toEqual([]);
  });

  it('at the end of a sentence when a paragraph does not fit', async () => {
    const sentence = 'The wheel turns as long as the water runs.';
    const chunks = await textsOf(`${sentence} `.repeat(20), { maxTokens: 64 });
    expect(chunks.length).toBeGreaterThan(2);
    for (const chunk of chunks) expect(chunk.replaceAll(sentence, '').trim()).toBe('');
  });

  it('at the end of a line, else of a word, when a sentence does not fit', async () => {
    const line = 'one two three four five six';
    for (const chunk of await textsOf(`${line}\n`.repeat(30), { maxTokens: 32 }))
      expect(chunk.replaceAll(line, '').trim()).toBe('');
    for (const chunk of await textsOf('alpha '.repeat(200), { maxTokens: 32 }))
      expect(chunk).toMatch(/^alpha( alpha)*$/);
  });

  it('before a heading rather than behind it', async () => {
    const words = 'The wheel turns as long as the water runs. '.repeat(4).trim();
    const chunks = await textsOf(`${words}\n\n## The mill\n\n${words}\n\n## The river\n\n${words}`, { maxTokens: 64 });
    expect(chunks).toEqual([words, `## The mill\n\n${words}`, `## The river\n\n${words}`]);
  });

  it('at full stops and commas of Chinese and Japanese, which no space follows, with the brackets', async () => {
    const sentence = '「今日は天気がいいので散歩に行きました。」';
    for (const chunk of await textsOf(sentence.repeat(30), { maxTokens: 64 }))
      expect(chunk.replaceAll(sentence, '')).toBe('');
    const whole = '我们在村子里看见一座老磨坊，它的轮子慢慢转动。';
    for (const chunk of await textsOf(whole.repeat(30), { maxTokens: 64 }))
      expect(chunk.replaceAll(whole, '')).toBe('');
    const clause = '我们在村子里看见一座老磨坊，';
    for (const chunk of await textsOf(clause.repeat(30), { maxTokens: 64 }))
      expect(chunk.replaceAll(clause, '')).toBe('');
  });

  it('at the end of a word of a language without spaces', async () => {
    const words = new Intl.Segmenter('und', { granularity: 'word' });
    for (const text of [
      '我们在村子里看见一座老磨坊它的轮子随着河水慢慢转动'.repeat(8),
      'สวัสดีชาวโลกวันนี้อากาศดีมาก'.repeat(30),
    ]) {
      const segments = words.segment(text);
      const chunks = await chunksOf(text, { maxTokens: 32 });
      expect(chunks.length).toBeGreaterThan(3);
      expect(chunks.filter(({ start }) => segments.containing(start)?.index !== start)).toEqual([]);
    }
  });

  it('inside a word only when the word does not fit', async () => {
    const word = 'incomprehensibilities'.repeat(4);
    const chunks = await textsOf(`the mill ${word} turns and turns day`, { maxTokens: 16 });
    expect(chunks.join('').replaceAll(/\s/g, '')).toBe(`themill${word}turnsandturnsday`);
    const parts = chunks.flatMap((chunk) => chunk.split(' ')).filter((part) => !word.includes(part));
    expect(parts).toEqual(['the', 'mill', 'turns', 'and', 'turns', 'day']);
  });
});

describe('The end of a sentence', () => {
  it.each([
    ['He came.', ' ', 'She', true],
    ['He came!', ' ', 'She', true],
    ['"He came."', ' ', '"She', true],
    ['(He came.)', ' ', 'She', true],
    ['He came…', ' ', 'She', true],
    ['So did I.', ' ', 'She', true],
    ['वह आया।', ' ', 'वह', true],
    ['他来了。', ' ', '她', true],
    ['He came', ' ', 'She', false],
    ['"No!"', ' ', 'he said', false],
    ['Mr.', ' ', 'Holmes', false],
    ['(cf.', ' ', 'Smith', false],
    ['J.', ' ', 'Smith', false],
    ['the U.S.', ' ', 'Army', false],
    ['No.', ' ', '5', false],
    ['approx.', ' ', 'ten', false],
  ])('of %j is seen, or is none', (before, space, next, expected) => {
    const text = before + space + next;
    expect(endsSentence(text, before.length, before.length + space.length)).toBe(expected);
  });
});

describe('An overlap', () => {
  const sentences = Array.from({ length: 60 }, (_, index) => `Sentence ${index} of the text is about as long as that.`);
  const text = sentences.join(' ');

  it('repeats whole sentences of the chunk before when they fit', async () => {
    const chunks = await chunksOf(text, { maxTokens: 96, overlapTokens: 32 });
    const overlaps = chunks.slice(1).map(({ start }, index) => text.slice(start, chunks[index]?.end));
    expect(chunks.length).toBeGreaterThan(8);
    for (const overlap of overlaps)
      expect(overlap).toMatch(/^(Sentence \d+ of the text is about as long as that\. ?)+$/);
  });

  it('is never more than asked, and none is there unless asked', async () => {
    const count = await modelCount();
    const chunks = await chunksOf(book, { maxTokens: 128, overlapTokens: 20 });
    const overlaps = chunks
      .slice(1)
      .map(({ start }, index) => book.slice(start, Math.max(start, chunks[index]?.end ?? 0)));
    expect(overlaps.filter((overlap) => count(overlap) - 2 > 20)).toEqual([]);
    expect(overlaps.filter((overlap) => overlap === '').length).toBeLessThan(chunks.length / 20);
    const without = await chunksOf(book, { maxTokens: 128 });
    expect(without.slice(1).filter(({ start }, index) => start < (without[index]?.end ?? 0))).toEqual([]);
  });
});
