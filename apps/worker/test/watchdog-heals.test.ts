import { silentLogger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import { describe, expect, it } from 'vitest';
import { FetchWatchdog } from '../src/fetch-watchdog.ts';

/** A watchdog over a worker whose state the test sets; the clock is the test's. */
function watched(state: { hasRoom: boolean; workWaits: boolean }) {
  const facts = { now: 0, lastFetchAt: 0, heals: 0, ...state };
  const metrics = new Metrics();
  const watchdog = new FetchWatchdog({
    family: 'text',
    log: silentLogger(),
    metrics,
    now: () => facts.now,
    hasRoom: () => facts.hasRoom,
    lastFetchAt: () => facts.lastFetchAt,
    workWaits: async () => facts.workWaits,
    heal: async () => {
      facts.heals += 1;
    },
  });
  return { facts, watchdog, metrics };
}

describe('The watchdog', () => {
  it('heals a worker that fetches nothing for 30 s although work waits and slots are free, and counts it', async () => {
    const { facts, watchdog, metrics } = watched({ hasRoom: true, workWaits: true });
    facts.now = 29_000;
    await watchdog.look();
    expect(facts.heals).toBe(0);
    facts.now = 31_000;
    await watchdog.look();
    expect(facts.heals).toBe(1);
    facts.now = 40_000;
    await watchdog.look();
    expect(facts.heals).toBe(1);
    expect(await metrics.registry.metrics()).toContain('millrace_watchdog_heals_total{family="text"} 1');
  });

  it.each([
    ['is full', { hasRoom: false, workWaits: true }],
    ['has nothing to do', { hasRoom: true, workWaits: false }],
  ])('leaves a worker alone that %s', async (_, state) => {
    const { facts, watchdog } = watched(state);
    facts.now = 100_000;
    await watchdog.look();
    expect(facts.heals).toBe(0);
  });

  it('leaves a worker alone that fetches', async () => {
    const { facts, watchdog } = watched({ hasRoom: true, workWaits: true });
    facts.now = 100_000;
    facts.lastFetchAt = 99_000;
    await watchdog.look();
    expect(facts.heals).toBe(0);
  });
});
