import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { laneShare } from '../src/compute/lane-share.ts';

const machine = { machine: 'here', cores: 8 };
const worker = (id: string, over: { machine?: string; fixedLanes?: number | null } = {}) => ({
  id,
  machine: 'here',
  fixedLanes: null,
  ...over,
});

describe('The cores of a machine', () => {
  it('belong to the only worker there', () => {
    expect(laneShare('a', machine, [])).toBe(8);
    expect(laneShare('a', machine, [worker('a'), worker('b', { machine: 'elsewhere' })])).toBe(8);
  });

  it('are dealt out evenly, the rest to those whose ids come first', () => {
    const workers = [worker('a'), worker('b'), worker('c')];
    expect(['a', 'b', 'c'].map((id) => laneShare(id, machine, workers))).toEqual([3, 3, 2]);
  });

  it('that a worker with a set number uses are not dealt out', () => {
    expect(laneShare('b', machine, [worker('a', { fixedLanes: 6 }), worker('b')])).toBe(2);
  });

  it('are never dealt out twice, and nobody goes without', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 64 }), (names, cores) => {
        const workers = names.map((id) => worker(id));
        const shares = names.map((id) => laneShare(id, { machine: 'here', cores }, workers));
        const sum = shares.reduce((total, share) => total + share, 0);
        return shares.every((share) => share >= 1) && sum === Math.max(cores, names.length);
      }),
    );
  });
});
