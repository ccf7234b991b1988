import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batcher } from '../src/batch/batcher.ts';
import { type BatchItem, type BatchLimits, callCost, compareUrgency } from '../src/batch/close-rule.ts';

const limits: BatchLimits = { items: 8, cost: 100, padded: true, waitMs: 20 };
const atOnce = { laneIdle: true, windowFull: false };
const behind = { laneIdle: false, windowFull: false };

interface TestItem extends BatchItem {
  readonly name: string;
}

let order = 0;
function item(facts: Partial<TestItem>): TestItem {
  order += 1;
  return { order, name: '', key: 'a', cost: 10, priority: 100, arrival: 0, since: 0, ...facts };
}

function batcher({ now = () => 0, ...over }: Partial<BatchLimits> & { now?: () => number } = {}) {
  return new Batcher<TestItem>({ limits: { ...limits, ...over }, agingMs: 1000, now });
}

describe('The batcher', () => {
  it('gives an idle lane what is there at once', () => {
    const waiting = batcher();
    waiting.add([item({ name: 'only' })]);
    expect(waiting.take(atOnce).map(({ name }) => name)).toEqual(['only']);
    expect(waiting.size).toBe(0);
    expect(waiting.cost).toBe(0);
  });

  it('lets items gather behind a busy lane until their call is full', () => {
    const waiting = batcher();
    waiting.add([item({}), item({})]);
    expect(waiting.take(behind)).toEqual([]);
    waiting.add(Array.from({ length: 9 }, (_, arrival) => item({ arrival })));
    expect(waiting.take(behind)).toHaveLength(8);
    expect(waiting.size).toBe(3);
  });

  it('lets nothing wait longer than batchWaitMs behind a busy lane', () => {
    let now = 0;
    const waiting = batcher({ now: () => now });
    waiting.add([item({})]);
    expect(waiting.msUntilDue()).toBe(20);
    now = 19;
    expect(waiting.take(behind)).toEqual([]);
    now = 20;
    expect(waiting.take(behind)).toHaveLength(1);
    expect(waiting.msUntilDue()).toBeUndefined();
  });

  it('does not wait when nothing more can arrive', () => {
    const waiting = batcher();
    waiting.add([item({})]);
    expect(waiting.take({ laneIdle: false, windowFull: true })).toHaveLength(1);
  });

  it('puts the most urgent item first and like sizes beside it', () => {
    const waiting = batcher();
    waiting.add([
      item({ name: 'long', cost: 90, arrival: 1 }),
      item({ name: 'urgent', cost: 20, arrival: 9, priority: 1 }),
      item({ name: 'near', cost: 24, arrival: 2 }),
      item({ name: 'nearer', cost: 19, arrival: 3 }),
      item({ name: 'far', cost: 60, arrival: 4 }),
    ]);
    expect(waiting.take(atOnce).map(({ name }) => name)).toEqual(['urgent', 'nearer', 'near']);
  });

  it('fills up with less urgent items only after those that are as urgent', () => {
    const waiting = batcher({ items: 3 });
    waiting.add([
      item({ name: 'high far', priority: 10, cost: 25, arrival: 2 }),
      item({ name: 'low near', priority: 1000, cost: 10, arrival: 1 }),
      item({ name: 'high', priority: 10, cost: 10, arrival: 1 }),
      item({ name: 'low far', priority: 1000, cost: 11, arrival: 1 }),
    ]);
    expect(waiting.take(atOnce).map(({ name }) => name)).toEqual(['high', 'high far', 'low near']);
  });

  it('takes what has waited too long before all else, the oldest first, and with it its like', () => {
    let now = 1000;
    const waiting = batcher({ items: 2, now: () => now });
    waiting.add([
      item({ name: 'low', priority: 1000, arrival: 1 }),
      item({ name: 'normal', priority: 100, arrival: 2 }),
      ...[3, 4, 5].map((arrival) => item({ name: 'high', priority: 10, arrival })),
    ]);
    expect(waiting.mostUrgentPriority).toBe(10);
    expect(waiting.take(atOnce).map(({ name }) => name)).toEqual(['high', 'high']);
    now = 1002;
    expect(waiting.mostUrgentPriority).toBe(0);
    expect(waiting.take(atOnce).map(({ name }) => name)).toEqual(['low', 'normal']);
    expect(waiting.mostUrgentPriority).toBe(10);
  });

  it('computes one item that is larger than the budget by itself', () => {
    const waiting = batcher();
    waiting.add([item({ name: 'huge', cost: 500 }), item({ name: 'small', arrival: 1 })]);
    expect(waiting.take(atOnce).map(({ name }) => name)).toEqual(['huge']);
  });

  it('keeps the order in which items came when nothing else tells them apart', () => {
    const waiting = batcher({ items: 2 });
    for (const name of ['1', '2', '3', '4', '5']) waiting.add([item({ name })]);
    const names = [1, 2, 3].flatMap(() => waiting.take(atOnce).map(({ name }) => name));
    expect(names).toEqual(['1', '2', '3', '4', '5']);
  });

  it('never mixes keys', () => {
    const waiting = batcher();
    waiting.add([item({ key: 'a', arrival: 1 }), item({ key: 'b', arrival: 0 }), item({ key: 'a', arrival: 2 })]);
    expect(waiting.take(atOnce).map(({ key }) => key)).toEqual(['b']);
    expect(waiting.take(atOnce).map(({ key }) => key)).toEqual(['a', 'a']);
  });

  it('gives every item out once, within the limits, the most urgent first, whatever comes', () => {
    const items = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b'),
        cost: fc.integer({ min: 1, max: 150 }),
        priority: fc.constantFrom(1, 100),
        arrival: fc.integer({ min: 0, max: 5 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(items, fc.boolean(), (facts, padded) => {
        const waiting = batcher({ padded });
        const all = facts.map((fact) => item(fact));
        waiting.add(all);
        const taken: TestItem[] = [];
        while (waiting.size > 0) {
          const left = all.filter((one) => !taken.includes(one));
          const call = waiting.take(atOnce);
          const [first] = call;
          if (first === undefined) return false;
          if (left.some((one) => compareUrgency(one, first) < 0)) return false;
          if (call.length > limits.items) return false;
          if (call.length > 1 && callCost(call, padded) > limits.cost) return false;
          taken.push(...call);
        }
        return taken.length === all.length && new Set(taken).size === all.length && waiting.cost === 0;
      }),
    );
  });

  it('forgets items that are removed, and passes over those it does not have', () => {
    const waiting = batcher();
    const [one, two, stranger] = [item({ name: 'one' }), item({ name: 'two' }), item({ name: 'stranger' })];
    waiting.add([one, two]);
    waiting.remove([one, stranger]);
    expect(waiting.take(atOnce).map(({ name }) => name)).toEqual(['two']);
    expect(waiting.size).toBe(0);
  });
});
