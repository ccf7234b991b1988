import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planPasses } from '../src/inference/plan-passes.ts';

const lengths = fc.array(fc.integer({ min: 2, max: 256 }), { maxLength: 64 });

function paddedTokens(passes: number[][], of: readonly number[]): number {
  return passes.reduce((sum, pass) => sum + pass.length * Math.max(...pass.map((index) => of[index] ?? 0)), 0);
}

describe('The passes of a call', () => {
  it('hold every text once and keep to the budget', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 16, max: 1024 }), (of, budget) => {
        const passes = planPasses(of, budget);
        const indices = passes.flat().sort((a, b) => a - b);
        const within = passes.every((pass) => pass.length === 1 || paddedTokens([pass], of) <= budget);
        return within && indices.length === of.length && indices.every((index, at) => index === at);
      }),
    );
  });

  it('cost no more than one text a pass does', () => {
    fc.assert(
      fc.property(lengths, (of) => {
        const passes = planPasses(of, 512);
        const real = of.reduce((sum, length) => sum + length, 0);
        return paddedTokens(passes, of) + 20 * passes.length <= real + 20 * of.length;
      }),
    );
  });

  it('put short texts together and leave a long one alone', () => {
    expect(planPasses([200, 8, 8, 8, 8], 512)).toEqual([[1, 2, 3, 4], [0]]);
    expect(planPasses([], 512)).toEqual([]);
  });
});
