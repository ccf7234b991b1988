import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { book, chunksOf } from './chunk-texts.ts';

async function idsOf(text: string, options: object = {}): Promise<Set<string>> {
  return new Set((await chunksOf(text, options)).map(({ id }) => id));
}

/** How many chunks of a text are not among those that there were before. */
async function changed(before: ReadonlySet<string>, text: string, options: object = {}): Promise<number> {
  return [...(await idsOf(text, options))].filter((id) => !before.has(id)).length;
}

const sentence = 'A wholly new sentence was put in here. ';

describe('After an edit', () => {
  it('at the front of a book hardly any chunk is another', async () => {
    const before = await idsOf(book);
    expect(before.size).toBeGreaterThan(600);
    expect(await changed(before, sentence + book)).toBeLessThanOrEqual(4);
    expect(await changed(before, `${sentence}\n\n${book}`)).toBeLessThanOrEqual(4);
    expect(await changed(before, book.slice(300))).toBeLessThanOrEqual(4);
  });

  it('anywhere in a book a few chunks around it are others, with an overlap too', async () => {
    const text = book.slice(0, 60_000);
    const spaces = [...text.matchAll(/\s/g)].map(({ index }) => index + 1);
    const edit = fc.record({
      at: fc.constantFrom(...spaces),
      removed: fc.nat(300),
      added: fc.constantFrom('', sentence, `${sentence}\n\n`, `\n\n# A heading\n\n${sentence}\n\n`),
    });
    for (const options of [{ maxTokens: 128 }, { maxTokens: 128, overlapTokens: 24 }]) {
      const before = await idsOf(text, options);
      await fc.assert(
        fc.asyncProperty(edit, async ({ at, removed, added }) => {
          const after = text.slice(0, at) + added + text.slice(at + removed);
          expect(await changed(before, after, options)).toBeLessThanOrEqual(16);
        }),
        { numRuns: 60 },
      );
    }
  });

  it.each([
    [
      'paragraphs that are all as long',
      (index: number) => `Paragraph ${index} has ${'just as many words '.repeat(4)}as any.\n\n`,
    ],
    ['lines without a sentence', (index: number) => `${index},name ${index * 7919},${index % 97},2024\n`],
    ['one sentence without an end', (index: number) => `and then ${index * 7919} of them `],
    [
      'Chinese without a space',
      (index: number) => `${'我们在村子里看见一座老磨坊'.slice(index % 5)}，${index}它的轮子慢慢转动。`,
    ],
  ])('the borders of %s do not move along', async (_, part) => {
    const parts = Array.from({ length: 400 }, (_, index) => part(index));
    const before = await idsOf(parts.join(''), { maxTokens: 64 });
    expect(before.size).toBeGreaterThan(60);
    const after = [part(1000), ...parts.slice(0, 200), part(1001), ...parts.slice(203)].join('');
    expect(await changed(before, after, { maxTokens: 64 })).toBeLessThanOrEqual(24);
  });

  it('the chunks of a long word behind it are the same', async () => {
    const word = Array.from({ length: 3000 }, (_, index) => (index * 2654435761).toString(36).slice(-6)).join('');
    const before = await idsOf(word);
    expect(before.size).toBeGreaterThan(30);
    expect(await changed(before, `abc${word}`)).toBeLessThanOrEqual(6);
  });
});

describe('An id', () => {
  it('depends on the chunk alone, not on where it is or what is around it', async () => {
    const paragraph = 'The wheel turns as long as the water runs. '.repeat(9).trim();
    const other = 'Prices of grain rose again in the spring. '.repeat(12).trim();
    const [alone] = await chunksOf(paragraph, { maxTokens: 128 });
    const both = await chunksOf(`${other}\n\n${paragraph}\n\n${other}`, { maxTokens: 128 });
    expect(both.find(({ text }) => text === paragraph)).toMatchObject({ id: alone?.id });
    expect(alone?.id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('tells chunks of the same text apart by how often it came before', async () => {
    const paragraph = 'The wheel turns as long as the water runs. '.repeat(9).trim();
    const three = await chunksOf([paragraph, paragraph, paragraph].join('\n\n'), { maxTokens: 128 });
    const four = await chunksOf([paragraph, paragraph, paragraph, paragraph].join('\n\n'), { maxTokens: 128 });
    expect(new Set(three.map(({ text }) => text))).toEqual(new Set([paragraph]));
    expect(new Set(four.map(({ id }) => id)).size).toBe(4);
    expect(four.slice(0, 3).map(({ id }) => id)).toEqual(three.map(({ id }) => id));
  });

  it('tells halves of characters apart, which are the same in UTF-8', async () => {
    const [one] = await chunksOf('\ud800');
    const [other] = await chunksOf('\ud801');
    expect(one?.id).not.toBe(other?.id);
  });
});
