import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLabelHead, type LabelVectors, labelLogits } from '../src/inference/label-head.ts';
import { sigmoid, softmax } from '../src/inference/label-scores.ts';
import { normalized } from '../src/inference/unit-vectors.ts';

const dimensions = 4;
/** Few values, so that equal, opposite and empty vectors come up. */
const vector = fc
  .array(fc.constantFrom(-1, 0, 0, 1, 2), { minLength: dimensions, maxLength: dimensions })
  .map((values) => normalized(Float64Array.from(values)));
const label: fc.Arbitrary<LabelVectors> = fc.record({
  name: fc.string(),
  nameVector: vector,
  examples: fc.array(vector, { maxLength: 4 }),
});

function axis(index: number): Float64Array {
  return Float64Array.from({ length: dimensions }, (_, at) => (at === index ? 1 : 0));
}

describe('The head of a label set', () => {
  it('gives finite scores between 0 and 1 whatever its vectors are', () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 2, maxLength: 5 }), vector, (labels, text) => {
        const logits = labelLogits(createLabelHead(labels), text);
        const scores = [...softmax(logits), ...logits.map(sigmoid)];
        return logits.length === labels.length && scores.every((score) => score >= 0 && score <= 1);
      }),
    );
  });

  it('goes by the name alone without examples', () => {
    const labels = [0, 1, 2].map((index) => ({ name: `${index}`, nameVector: axis(index), examples: [] }));
    const head = createLabelHead(labels);
    expect(head.method).toBe('names');
    expect(softmax(labelLogits(head, axis(1))).map(Math.round)).toEqual([0, 1, 0]);
  });

  it('lets names count that tell the examples apart, and not those that do not', () => {
    const text = normalized(Float64Array.from([1, 1, 0, 0]));
    const head = (names: [Float64Array, Float64Array]) =>
      createLabelHead([
        { name: 'a', nameVector: names[0], examples: [axis(0)] },
        { name: 'b', nameVector: names[1], examples: [axis(1)] },
      ]);
    const telling = head([axis(0), normalized(Float64Array.from([0, 1, 1, 0]))]);
    const mistaken = head([axis(1), axis(0)]);
    expect(telling.vectors[1]?.[2]).toBeGreaterThan(0);
    expect(mistaken.vectors).toEqual([axis(0), axis(1)]);
    const [first = 0, second = 0] = labelLogits(mistaken, text);
    expect(first).toBeCloseTo(second, 9);
  });

  it('weighs a label that is only a name fairly beside one that has examples', () => {
    // Texts are less like a name than like the middle of other texts.
    const near = (index: number, share: number) =>
      normalized(axis(index).map((value, at) => share * value + (at === 3 ? 1 - share : 0)));
    const head = createLabelHead([
      { name: 'a', nameVector: near(0, 0.3), examples: [near(0, 0.9), near(0, 0.8), near(0, 0.85)] },
      { name: 'b', nameVector: near(1, 0.3), examples: [] },
      { name: 'c', nameVector: near(2, 0.3), examples: [near(2, 0.9), near(2, 0.8), near(2, 0.85)] },
    ]);
    const best = [0, 1, 2].map((index) => {
      const logits = labelLogits(head, near(index, 0.85));
      return logits.indexOf(Math.max(...logits));
    });
    expect(best).toEqual([0, 1, 2]);
  });
});
