import { describe, expect, it } from 'vitest';
import type { Entry } from '../chaos/ledger.mjs';
import { whoLost } from '../chaos/losses.mjs';
import { parseOptions } from '../chaos/options.mjs';

/** A master was struck at 10,000; until 11,000 the old one may have answered; its replicas lagged a second at most. */
const windows = [{ from: 9000, struckAt: 10_000, to: 11_000 }];

/** A task that was sent at a moment and accepted at another. */
function accepted(sentAt: number, at: number): Entry {
  const input: { texts: string[] } = { texts: [] };
  const task = { number: at, family: 'text', type: 'text.clean', input, via: 'http', dueMs: 0 } as const;
  return {
    task: { ...task, priority: undefined, expected: [] },
    state: 'accepted',
    id: `t-${at}`,
    sentAt,
    at,
    reason: '',
  };
}

describe('An accepted task that is not there', () => {
  it.each([
    ['shortly before the master was struck', accepted(9900, 9990)],
    ['by the old master after it was struck', accepted(10_100, 10_500)],
  ])('is a loss of Redis when it was accepted %s', (_, lost) => {
    expect(whoLost(lost, { windows, present: [accepted(8000, 8100)] })).toBe('redis');
  });

  it.each([
    ['long before', accepted(5000, 5100)],
    ['after all had gone over to the new master', accepted(11_500, 11_600)],
  ])('is a loss of Millrace when it was accepted %s', (_, lost) => {
    expect(whoLost(lost, { windows, present: [] })).toBe('millrace');
  });

  it('is a loss of Millrace when one that came after it is there: Redis forgets an end, not a middle', () => {
    const lost = accepted(9500, 9600);
    expect(whoLost(lost, { windows, present: [accepted(9700, 9800)] })).toBe('millrace');
    // Sent before the lost one was accepted, either may have been first; accepted after the strike, it may be the new master's.
    expect(whoLost(lost, { windows, present: [accepted(9550, 9800)] })).toBe('redis');
    expect(whoLost(lost, { windows, present: [accepted(9700, 10_400)] })).toBe('redis');
  });

  it('is a loss of Millrace when nothing was done to Redis', () => {
    expect(whoLost(accepted(1, 2), { windows: [], present: [] })).toBe('millrace');
  });
});

describe('The options of chaos', () => {
  it('take the faults that go with the kind of Redis, and never the one that steals', () => {
    for (const [kind, own] of [
      ['single', 'kill-redis'],
      ['sentinel', 'kill-master'],
      ['cluster', 'failover'],
    ] as const) {
      const options = parseOptions(['--redis', kind]);
      if (typeof options === 'string') throw new Error(options);
      expect(options.faults).toContain(own);
      expect(options.faults).not.toContain('steal-task');
    }
    expect(() => parseOptions(['--redis', 'cluster', '--faults', 'stall-network'])).toThrow(
      /not one for --redis cluster/,
    );
    expect(() => parseOptions(['--redis', 'ring'])).toThrow(/expected single, sentinel, cluster/);
  });
});
