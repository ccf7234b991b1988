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
  /** Lets so many ms pass, with a look every 5 s as the timer has it. */
  const pass = async (ms: number) => {
    for (const end = facts.now + ms; facts.now < end; ) {
      facts.now = Math.min(end, facts.now + 5000);
      await watchdog.look();
    }
  };
  return { facts, watchdog, metrics, pass };
}

describe('The watchdog', () => {
  it('heals a worker that fetches nothing for 30 s although work waits and slots are free, and counts it', async () => {
    const { facts, metrics, pass } = watched({ hasRoom: true, workWaits: true });
    await pass(29_000);
    expect(facts.heals).toBe(0);
    await pass(2000);
    expect(facts.heals).toBe(1);
    await pass(9000);
    expect(facts.heals).toBe(1);
    expect(await metrics.registry.metrics()).toContain('millrace_watchdog_heals_total{family="text"} 1');
  });

  it.each([
    ['is full', { hasRoom: false, workWaits: true }],
    ['has nothing to do', { hasRoom: true, workWaits: false }],
  ])('leaves a worker alone that %s', async (_, state) => {
    const { facts, pass } = watched(state);
    await pass(100_000);
    expect(facts.heals).toBe(0);
  });

  it('does not take a standstill of the whole process for silence', async () => {
    const { facts, watchdog } = watched({ hasRoom: true, workWaits: true });
    facts.now = 40_000;
    await watchdog.look();
    expect(facts.heals).toBe(0);
  });

  it('leaves a worker alone that fetches', async () => {
    const { facts, pass } = watched({ hasRoom: true, workWaits: true });
    facts.lastFetchAt = 99_000;
    await pass(100_000);
    expect(facts.heals).toBe(0);
  });
});
