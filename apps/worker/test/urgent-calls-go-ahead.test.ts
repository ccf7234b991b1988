import { fileURLToPath } from 'node:url';
import { silentLogger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import { afterEach, describe, expect, it } from 'vitest';
import type { Lane, LaneCall } from '../dist/compute/lane.js';
// The built one: a lane is a process of its own, which runs the built code.
import { Lanes } from '../dist/compute/lanes.js';
import type { LaneSetup } from '../dist/compute/protocol.js';

const plugin = fileURLToPath(new URL('../../../test/setup/trouble-plugin.mjs', import.meta.url));
/** What a text lane looks at. */
const setup = { family: 'text', nice: 0, plugins: [plugin] } as unknown as LaneSetup;
const call = (id: number, ...items: string[]): LaneCall => ({ id, type: 'text.trouble', items });
const work = (pieces: number) => new Array<string>(pieces).fill('work');

let opened: Lanes | undefined;
afterEach(async () => {
  await opened?.close();
});

/** One lane, and in which order its calls began and ended. */
async function openLane() {
  const lanes = new Lanes({ setup, count: 1, memoryLimit: 0, log: silentLogger(), metrics: new Metrics() });
  opened = lanes;
  const began: number[] = [];
  const ended: number[] = [];
  const lost: number[][] = [];
  await lanes.start({
    onBegin: ({ id }) => began.push(id),
    onEnd: ({ id }) => ended.push(id),
    onDeath: (unfinished) => lost.push(unfinished.map(({ id }) => id)),
    onRoom: () => {},
  });
  const lane = lanes.next() as Lane;
  return { lanes, lane, began, ended, lost };
}

describe('A call that goes ahead', () => {
  it('begins when the one that computes has ended, before the one that waits', async () => {
    const { lanes, lane, began, ended } = await openLane();
    lane.run(call(1, ...work(4)));
    lane.run(call(2, 'waits'));
    await expect.poll(() => began).toEqual([1]);
    expect(lanes.next()).toBeUndefined();
    expect(lanes.passable(({ id }) => id === 2)).toBe(lane);
    expect(lanes.passable(() => false)).toBeUndefined();
    lane.run(call(3, 'urgent'), { ahead: true });
    expect(lanes.passable(() => true)).toBeUndefined();
    await expect.poll(() => ended).toEqual([1, 3, 2]);
    expect(began).toEqual([1, 3, 2]);
    expect(lane.state).toBe('idle');
  });

  it('is not blamed when the process dies in the one that computes', async () => {
    const { lane, began, lost } = await openLane();
    lane.run(call(1, ...work(4), 'hang'));
    lane.run(call(2, 'waits'));
    await expect.poll(() => began).toEqual([1]);
    lane.run(call(3, 'urgent'), { ahead: true });
    lane.kill('it is time');
    await expect.poll(() => lost).toEqual([[1, 3, 2]]);
  });

  it('that kills the process is the first of what is lost', async () => {
    const { lane, began, lost } = await openLane();
    lane.run(call(1, ...work(4)));
    lane.run(call(2, 'waits'));
    await expect.poll(() => began).toEqual([1]);
    lane.run(call(3, 'abort'), { ahead: true });
    await expect.poll(() => lost).toEqual([[3, 2]]);
    expect(began).toEqual([1, 3]);
  });
});
