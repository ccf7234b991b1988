import { builtinTaskTypes, createCatalog } from '@millrace/shared/tasks/catalog';
import { parseTask } from '@millrace/shared/tasks/parse';
import type { DeduplicateOutput } from '@millrace/shared/tasks/text/deduplicate';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deduplicateProcessor } from '../src/text/deduplicate.ts';

async function deduplicate(texts: readonly string[], threshold?: number): Promise<DeduplicateOutput> {
  const input = threshold === undefined ? { texts: [...texts] } : { texts: [...texts], threshold };
  const { signal } = new AbortController();
  const [outcome] = await deduplicateProcessor.process([input], { count: () => {}, signal });
  if (outcome?.ok !== true) throw new Error(outcome?.message);
  return outcome.value;
}

const long =
  'The mill stands where the river bends, and it has turned for as long as anybody in the village can remember.';

describe('text.deduplicate', () => {
  it('groups near duplicates behind the first of them, and says which texts to keep', async () => {
    const texts = [
      long,
      'Grain is dear this year.',
      `${long} `,
      long.replace('anybody', 'everybody'),
      'Nothing like it.',
    ];
    const { groups, unique } = await deduplicate(texts, 0.8);
    expect(groups).toEqual([
      {
        representative: 0,
        members: [
          { index: 0, similarity: 1 },
          { index: 2, similarity: 1 },
          { index: 3, similarity: expect.closeTo(0.9, 1) },
        ],
      },
    ]);
    expect(unique).toEqual([0, 1, 4]);
  });

  it('takes case, white space and Unicode form for the same', async () => {
    const texts = [
      'Ein Café  am Fluß',
      'ein cafe\u0301 am\tfluß\n',
      'EIN CAFÉ AM FLUß',
      'Ｅｉｎ Café am Fluß',
      'ein Cafe am Fluß',
    ];
    const { groups, unique } = await deduplicate(texts, 1);
    expect(groups.map(({ members }) => members.map(({ index }) => index))).toEqual([[0, 1, 2, 3]]);
    expect(unique).toEqual([0, 4]);
  });

  it('uses 0.9 unless it is told otherwise', async () => {
    const texts = [long, long.replace('village', 'town')];
    expect((await deduplicate(texts)).groups).toHaveLength(0);
    expect((await deduplicate(texts, 0.7)).groups).toHaveLength(1);
    expect((await deduplicate([long, `${long}!`])).groups).toHaveLength(1);
  });

  it('compares scripts without spaces by fewer characters', async () => {
    const chinese = '水车在河流转弯的地方已经转动了几百年没有人记得它是什么时候建造的';
    const japanese = '水車は川の曲がるところに立っていてだれもいつ建てられたのかおぼえていない';
    const thai = 'กังหันน้ำตั้งอยู่ตรงโค้งของแม่น้ำและหมุนมานานเท่าที่ทุกคนจำได้';
    const texts = [
      chinese,
      chinese.replace('几百', '几千'),
      japanese,
      japanese.replace('川', '河'),
      thai,
      thai.replace('ทุก', 'แต่ละ'),
    ];
    const { groups } = await deduplicate(texts, 0.7);
    expect(groups.map(({ members }) => members.map(({ index }) => index))).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });

  it('forms no chains: what is like a member and not like the representative is kept', async () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index * 7919}`);
    const version = (changed: number) =>
      words.map((word, index) => (index < changed ? `other${index}` : word)).join(' ');
    const { groups, unique } = await deduplicate([version(0), version(3), version(6), version(9)], 0.9);
    expect(groups.map(({ members }) => members.map(({ index }) => index))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(unique).toEqual([0, 2]);
  });

  it('knows empty texts, short ones, binary ones and half characters', async () => {
    const { groups, unique } = await deduplicate(['', ' \n', 'a', 'A', 'b', '\u0000', '\ud800', '\ud800', '\udc00']);
    expect(groups.map(({ members }) => members.map(({ index }) => index))).toEqual([
      [0, 1],
      [2, 3],
      [6, 7],
    ]);
    expect(unique).toEqual([0, 2, 4, 5, 6, 8]);
  });

  it('ends between two texts when it takes too long', async () => {
    const [outcome] = await deduplicateProcessor.process([{ texts: ['a'] }], {
      count: () => {},
      signal: AbortSignal.abort(),
    });
    expect(outcome).toMatchObject({ ok: false, code: 'TASK_TIMEOUT' });
  });

  it('takes 10,000 texts and a threshold from 0.5 to 1, and refuses others at the door', () => {
    const door = { catalog: createCatalog() };
    const parse = (input: object) => parseTask(door, { type: 'text.deduplicate', input });
    expect(() => parse({ texts: ['a'], threshold: 0.49 })).toThrow('at least 0.5');
    expect(() => parse({ texts: ['a'], threshold: 1.01 })).toThrow('at most 1');
    expect(() => parse({ texts: [] })).toThrow('at least 1');
    expect(() => parse({ texts: new Array(10_001).fill('a') })).toThrow('10,000 entries'.replace(',', ''));
    expect(() => parse({ texts: ['a'.repeat(9_000_000)] })).toThrow('at most 8388608 bytes');
    expect(parse({ texts: new Array(10_000).fill('a') }).taskType.type).toBe('text.deduplicate');
  });
});

describe('text.deduplicate and lists of any kind', () => {
  /** As the docs say, with strings instead of hashes; for text in Latin letters. */
  function jaccard(a: string, b: string): number {
    const [inA, inB] = [a, b].map((text) => {
      const even = text.toLowerCase().replaceAll(/\s+/g, ' ').trim();
      const count = Math.max(1, even.length - 4);
      return new Set(Array.from({ length: count }, (_, start) => even.slice(start, start + 5)));
    }) as [Set<string>, Set<string>];
    const shared = [...inA].filter((piece) => inB.has(piece)).length;
    return shared / (inA.size + inB.size - shared);
  }

  const phrase = fc.constantFrom(long, long.slice(0, 60), `${long} ${long.toUpperCase()}`, 'Grain is dear.');
  const nearly = fc
    .tuple(phrase, fc.nat(100), fc.string({ maxLength: 3 }))
    .map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at));
  const latin = fc.oneof(nearly, fc.string({ maxLength: 12 }));

  it('puts each text into one place, by its true similarity to what is kept for it', async () => {
    const threshold = fc.double({ min: 0.5, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(latin, { minLength: 1, maxLength: 30 }), threshold, async (texts, least) => {
        const { groups, unique } = await deduplicate(texts, least);
        const members = groups.flatMap((group) => group.members.map(({ index }) => index));
        const alone = unique.filter((index) => !members.includes(index));
        expect([...members, ...alone].sort((a, b) => a - b)).toEqual(texts.map((_, index) => index));
        for (const group of groups) {
          expect(unique).toContain(group.representative);
          expect(group.members[0]).toEqual({ index: group.representative, similarity: 1 });
          expect(group.members.length).toBeGreaterThan(1);
          for (const { index, similarity } of group.members) {
            expect(index).toBeGreaterThanOrEqual(group.representative);
            expect(similarity).toBeGreaterThanOrEqual(least);
            expect(similarity).toBeCloseTo(jaccard(texts[group.representative] ?? '', texts[index] ?? ''), 10);
          }
        }
        expect(builtinTaskTypes['text.deduplicate'].output.parse({ groups, unique })).toEqual({ groups, unique });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps one of texts that are the same, and gives the same groups every time', async () => {
    const any = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(any, async (texts) => {
        const twice = [...texts, ...texts];
        const first = await deduplicate(twice, 0.5);
        expect(first.unique.every((index) => index < texts.length)).toBe(true);
        expect(await deduplicate(twice, 0.5)).toEqual(first);
      }),
    );
  });
});
