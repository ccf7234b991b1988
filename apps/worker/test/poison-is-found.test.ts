import { describe, expect, it } from 'vitest';
import type { HeldTask } from '../src/process/held-task.ts';
import { blame } from '../src/process/isolation.ts';
import type { QueuedItem } from '../src/process/queued-item.ts';

/** An item of a task of its own, whose order is its number. */
function queued(order: number): QueuedItem {
  const task = { isEnded: false, params: { timeoutMs: 1000 } } as HeldTask;
  return { order, takers: new Map([[task, [0]]]), crashes: 0 } as unknown as QueuedItem;
}

/** Runs calls that end badly whenever the poison is among them, until nothing is left; gives how many ended badly. */
function isolate(size: number, poison: number, reason: 'died' | 'threw') {
  const groups = [Array.from({ length: size }, (_, index) => queued(index))];
  const done: number[] = [];
  const failed: { index: number; code: string }[] = [];
  let bad = 0;
  let calls = 0;
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    calls += 1;
    if (!group.some(({ order }) => order === poison)) {
      done.push(...group.map(({ order }) => order));
      continue;
    }
    bad += 1;
    const verdict = blame(group, reason, 'it broke');
    groups.push(...verdict.groups);
    for (const { item, outcome } of verdict.failed)
      failed.push({ index: item.order, code: outcome.ok ? '' : outcome.code });
  }
  return { done: done.length, failed, bad, calls };
}

describe('An item that breaks its call', () => {
  it('is found among 64 after four deaths of the lane, and the others are done', () => {
    const { done, failed, bad } = isolate(64, 41, 'died');
    expect({ done, failed, bad }).toEqual({ done: 63, failed: [{ index: 41, code: 'POISONED' }], bad: 4 });
  });

  it('is found by halves when the call only threw', () => {
    const { done, failed, calls } = isolate(64, 41, 'threw');
    expect({ done, failed }).toEqual({ done: 63, failed: [{ index: 41, code: 'PROCESSOR_FAILED' }] });
    expect(calls).toBe(13);
  });

  it('is not blamed for one death alone', () => {
    const item = queued(0);
    expect(blame([item], 'died', 'killed').failed).toEqual([]);
    expect(blame([item], 'died', 'killed').failed).toEqual([]);
    expect(blame([item], 'died', 'killed').failed).toHaveLength(1);
  });
});
