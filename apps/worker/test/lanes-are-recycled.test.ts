import { fileURLToPath } from 'node:url';
import { silentLogger } from '@millrace/shared/logger';
import { Metrics } from '@millrace/shared/metrics';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { CallEnd, LaneCall } from '../dist/compute/lane.js';
// The built one: a lane is a process of its own, which runs the built code.
import { Lanes } from '../dist/compute/lanes.js';
import type { LaneSetup } from '../dist/compute/protocol.js';

const plugin = fileURLToPath(new URL('../../../test/setup/trouble-plugin.mjs', import.meta.url));
/** What a text lane looks at. */
const setup = { family: 'text', nice: 0, plugins: [plugin] } as unknown as LaneSetup;
/** What an item `hoard` keeps is 16 MiB; an empty lane has less than 200 MiB. */
const mebibyte = 2 ** 20;
const limit = 400 * mebibyte;

interface Ended {
  readonly call: LaneCall;
  readonly end: CallEnd;
}

let opened: Lanes | undefined;
afterEach(async () => {
  await opened?.close();
});

/** Lanes, and what became of their calls. */
async function openLanes(count: number, memoryLimit: number) {
  const metrics = new Metrics();
  const lanes = new Lanes({ setup, count, memoryLimit, log: silentLogger(), metrics });
  opened = lanes;
  const ended: Ended[] = [];
  const lost: LaneCall[] = [];
  /** The states of all lanes at each death. */
  const atDeath: string[][] = [];
  await lanes.start({
    onBegin: () => {},
    onEnd: (call, end) => ended.push({ call, end }),
    onDeath: (unfinished) => {
      lost.push(...unfinished);
      atDeath.push(lanes.beats().map(({ state }) => state));
    },
    onRoom: () => {},
  });
  let nextId = 1;
  /** Sends a call as soon as a lane has room, and tells which lane got it. */
  const send = async (items: readonly string[]) => {
    await expect.poll(() => lanes.next() !== undefined, { timeout: 20_000 }).toBe(true);
    const call: LaneCall = { id: nextId, type: 'text.trouble', items };
    nextId += 1;
    lanes.next()?.run(call);
    return call;
  };
  const restarts = async (reason: string) => {
    const metric = await metrics.registry.getSingleMetric('millrace_lane_restarts_total')?.get();
    return metric?.values.find(({ labels }) => labels['reason'] === reason)?.value ?? 0;
  };
  return { lanes, ended, lost, atDeath, send, restarts };
}

const hoards = (count: number) => Array.from({ length: count }, () => 'hoard');

describe('A lane above its memory limit', () => {
  it('ends what it holds, gets nothing more, and is replaced', async () => {
    const { lanes, ended, lost, send, restarts } = await openLanes(1, limit);
    const [before] = lanes.beats();
    const lane = lanes.next();
    await send(hoards(32));
    await send(['the call that waits behind it']);
    await expect.poll(() => lane?.leaving, { timeout: 20_000 }).toBe('recycled');
    await send(['the first one of the next lane']);
    await expect.poll(() => ended.length, { timeout: 20_000 }).toBe(3);
    expect(ended.map(({ end }) => end.kind)).toEqual(['done', 'done', 'done']);
    expect(lost).toEqual([]);
    expect(await restarts('recycled')).toBe(1);
    expect(await restarts('died')).toBe(0);
    const [after] = lanes.beats();
    expect(after).toMatchObject({ id: before?.id, calls: 3, restarts: 1, recycled: 1 });
    expect(after?.pid).not.toBe(before?.pid);
    expect(after?.rssBytes).toBeLessThan(limit);
  });

  it('is recycled also when its call threw', async () => {
    const { ended, send, restarts } = await openLanes(1, limit);
    await send([...hoards(32), 'throw']);
    await expect.poll(() => restarts('recycled'), { timeout: 20_000 }).toBe(1);
    expect(ended.map(({ end }) => end.kind)).toEqual(['threw']);
  });

  it('leaves the others at work: one is recycled at a time', async () => {
    const { ended, lost, atDeath, send, restarts } = await openLanes(2, limit);
    let sent = 0;
    while ((await restarts('recycled')) < 4) {
      // It also takes some time, so that the lane that stays does not hoard gigabytes meanwhile.
      await send([...hoards(10), 'work', 'work', 'work', 'work']);
      sent += 1;
    }
    await expect.poll(() => ended.length, { timeout: 20_000 }).toBe(sent);
    expect(lost).toEqual([]);
    for (const states of atDeath) {
      expect(states.filter((state) => state === 'idle' || state === 'busy')).toHaveLength(1);
      expect(states).not.toContain('starting');
    }
  });

  it('stays when a fresh one would be above the limit too, or when there is none', async () => {
    for (const memoryLimit of [mebibyte, 0]) {
      const { lanes, ended, send, restarts } = await openLanes(1, memoryLimit);
      const [before] = lanes.beats();
      onTestFinished(() => lanes.close());
      await send(hoards(32));
      await send(['again']);
      await expect.poll(() => ended.length, { timeout: 20_000 }).toBe(2);
      expect(await restarts('recycled')).toBe(0);
      expect(lanes.beats()[0]?.pid).toBe(before?.pid);
    }
  });
});
