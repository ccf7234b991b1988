import { serialize } from 'node:v8';
import { classify } from '@millrace/shared/tasks/inference/classify';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyProcessor } from '../src/inference/classify.ts';
import { bundledDir, modelsOf, taskRunner } from './inference-calls.ts';

const models = modelsOf(bundledDir);
/** A lane that has read no labels yet. */
function newLane() {
  return taskRunner(classify, classifyProcessor({ models, passTokens: 512 }));
}

const labels = [
  'weather',
  { name: 'trade', examples: ['Prices of grain rose again.', 'She counted the sacks twice.'] },
  { name: 'rivers', examples: ['The water is high below the bridge.'] },
];
const words = ['the', 'mill', 'grain', 'rain', 'river', 'flour', 'sold', 'stone', 'wheel', 'cold', 'price'];
const sentence = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 120 }).map((list) => list.join(' '));

/** Texts that tokenizers and JSON are known to trip over. */
const roughText = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
    fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'a', '\u0000', '\u200b', '😀', 'ﬁ'), minLength: 1 }),
    fc.nat({ max: 20_000 }).map((length) => 'x'.repeat(length + 1)),
    fc.nat({ max: 2000 }).map((length) => 'wort '.repeat(length + 1)),
  )
  .filter((text) => text.trim() !== '');

describe('The scores of a text', () => {
  it('are the same to the last bit alone, in any batch, and in a lane that has just read the labels', async () => {
    const lane = newLane();
    await fc.assert(
      fc.asyncProperty(fc.array(sentence, { minLength: 2, maxLength: 12 }), fc.boolean(), async (texts, multiLabel) => {
        const together = await lane.run({ texts, labels, multiLabel });
        const reversed = await lane.run({ texts: [...texts].reverse(), labels, multiLabel });
        const alone = await newLane().run({ texts: texts.slice(0, 1), labels, multiLabel });
        expect(reversed.results.reverse()).toEqual(together.results);
        expect(alone.results[0]).toEqual(together.results[0]);
      }),
      { numRuns: 20 },
    );
  });

  it('are there for whatever text comes, and one rough text harms none of its mates', async () => {
    const lane = newLane();
    const mates = ['Rain fell on the mill.', 'Flour is dear.'];
    const expected = await lane.run({ texts: mates, labels });
    await fc.assert(
      fc.asyncProperty(roughText, async (rough) => {
        const { results } = await lane.run({ texts: [mates[0], rough, mates[1]], labels });
        expect([results[0], results[2]]).toEqual(expected.results);
        const scores = results[1]?.labels.map(({ score }) => score) ?? [];
        expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
        expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 12);
      }),
      { numRuns: 60 },
    );
  });

  it('are there for rough labels and examples too', async () => {
    const lane = newLane();
    await fc.assert(
      fc.asyncProperty(fc.array(roughText, { minLength: 1, maxLength: 3 }), async (examples) => {
        const name = (examples[0] ?? '').slice(0, 200);
        fc.pre(name.trim() !== '');
        const { results } = await lane.run({ texts: ['A text.'], labels: [{ name, examples }, 'another label'] });
        expect(results[0]?.labels).toHaveLength(2);
        expect(results[0]?.labels.every(({ score }) => score >= 0 && score <= 1)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe('The labels of a task', () => {
  it('are read once by a lane, not with every call', async () => {
    const { parse, call } = newLane();
    const items = classify.items(parse({ texts: ['one text', 'one text'], labels }));
    const first = await call(items);
    const second = await call(items);
    // [CLS] one text [SEP], twice.
    expect(second.realTokens).toBe(8);
    expect(first.realTokens).toBeGreaterThan(second.realTokens);
    expect(second.outcomes).toEqual(first.outcomes);
  });

  it('are read once for all tasks that have the same', async () => {
    const { parse, call } = newLane();
    await call(classify.items(parse({ texts: ['one text'], labels })));
    const other = classify.items(parse({ texts: ['one text'], labels: structuredClone(labels), multiLabel: true }));
    expect((await call(other)).realTokens).toBe(4);
  });

  it('go to a lane once in a message, however many texts there are', () => {
    const { parse } = newLane();
    const many = [{ name: 'a', examples: ['x'.repeat(10_000)] }, 'b'];
    const bytes = (count: number) =>
      serialize(classify.items(parse({ texts: Array(count).fill('a text'), labels: many }))).byteLength;
    expect(bytes(256)).toBeLessThan(bytes(1) + 256 * 200);
  });

  it('decide with the model which items share a call', () => {
    const { parse } = newLane();
    const keyOf = (input: object) => {
      const [item] = classify.items(parse({ texts: ['a'], labels, ...input }));
      return item === undefined ? '' : classify.batchKey(item);
    };
    expect(keyOf({ multiLabel: true, topK: 1 })).toBe(keyOf({}));
    expect(keyOf({ labels: ['a', 'b'] })).not.toBe(keyOf({}));
    expect(keyOf({ model: 'other' })).not.toBe(keyOf({}));
  });
});
