import { failed } from '@millrace/shared/tasks/processor';
import { describe, expect, it } from 'vitest';
import type { HeldTask } from '../dist/process/held-task.js';
import type { QueuedItem } from '../dist/process/queued-item.js';
import { openRooms, type Rooms, turn, valued, valuesOf } from './same-item-rooms.ts';
import { heldTask } from './same-item-tasks.ts';

describe('Items that are the same', () => {
  it('are computed once, whether they come in one task or in many, before the call or while it is computed', async () => {
    const rooms = openRooms();
    const early = [heldTask(['a', 'b', 'a']), heldTask(['b', 'a', 'c'])];
    for (const task of early) rooms.same.enter(task);
    expect(rooms.batcher.size).toBe(3);
    const call = rooms.send();
    const late = heldTask(['c', 'a']);
    rooms.same.enter(late);
    expect(late.callId).toBe('call-1');
    rooms.end(call);
    expect(await Promise.all([...early, late].map(valuesOf))).toEqual([
      valued(['a', 'b', 'a']),
      valued(['b', 'a', 'c']),
      valued(['c', 'a']),
    ]);
    expect(rooms.computed.sort()).toEqual(['a', 'b', 'c']);
    expect(await rooms.shares('in_flight')).toBe(5);
    expect(rooms.batcher.size).toBe(0);
  });

  it('are computed each for itself when their type says that they are not shared', async () => {
    const rooms = openRooms({ memory: 1000 });
    const tasks = [heldTask(['unshared']), heldTask(['unshared'])];
    for (const task of tasks) rooms.same.enter(task);
    rooms.computeAll();
    await Promise.all(tasks.map(valuesOf));
    expect(rooms.computed).toEqual(['unshared', 'unshared']);
  });

  it('are as urgent as the most urgent task that wants them, and wait as long as the oldest', () => {
    const rooms = openRooms();
    rooms.same.enter(heldTask(['slow'], { priority: 1000, createdAt: 1 }));
    rooms.same.enter(heldTask(['other'], { priority: 100, createdAt: 2 }));
    rooms.same.enter(heldTask(['slow'], { priority: 1, createdAt: 3 }));
    expect(rooms.batcher.mostUrgentPriority).toBe(1);
    const [first, second] = rooms.send();
    expect([first?.item, second?.item]).toEqual(['slow', 'other']);
    expect(first).toMatchObject({ priority: 1, arrival: 1 });
  });

  it('are not taken from a call that has more time than the task gives', async () => {
    const rooms = openRooms();
    rooms.same.enter(heldTask(['a']));
    rooms.send();
    rooms.same.enter(heldTask(['a'], { timeoutMs: 999 }));
    expect(rooms.batcher.size).toBe(1);
    rooms.same.enter(heldTask(['a'], { timeoutMs: 1000 }));
    expect(rooms.batcher.size).toBe(1);
  });

  it('that stand apart are joined by what is no more urgent, and by nothing else', () => {
    const rooms = openRooms();
    rooms.same.enter(heldTask(['a'], { priority: 100 }));
    const call = rooms.send();
    rooms.same.setApart(call);
    rooms.same.enter(heldTask(['a'], { priority: 100 }));
    expect(rooms.batcher.size).toBe(0);
    rooms.same.enter(heldTask(['a'], { priority: 1 }));
    expect(rooms.batcher.size).toBe(1);
  });

  it('of a task that may have killed a worker are shared with nobody', () => {
    const rooms = openRooms();
    rooms.same.enter(heldTask(['a']));
    const apart = rooms.same.enterApart(heldTask(['a', 'a'], { suspect: true }));
    expect(apart.map(({ takers }) => takers.size)).toEqual([1, 1]);
    rooms.same.enter(heldTask(['a']));
    expect(rooms.batcher.size).toBe(1);
  });
});

/** How the task may end that brought an item first, and where the item is then. */
const earlyEnds: readonly [string, (rooms: Rooms, task: HeldTask) => Promise<readonly QueuedItem[]>][] = [
  [
    'is cancelled while the item waits',
    async ({ send }, task) => {
      task.end({ kind: 'failed', code: 'CANCELLED', message: '', items: [] });
      await turn();
      return send();
    },
  ],
  [
    'is cancelled while the item is computed',
    async ({ send }, task) => {
      const call = send();
      task.end({ kind: 'failed', code: 'CANCELLED', message: '', items: [] });
      await turn();
      return call;
    },
  ],
  [
    'expires, and the lane never began the call',
    async ({ send, same }, task) => {
      const call = send();
      task.end({ kind: 'failed', code: 'EXPIRED', message: '', items: [] });
      await turn();
      same.putBack(call);
      return send();
    },
  ],
  [
    'fails by another item of it',
    async ({ send }, task) => {
      task.take(1, failed('PROCESSOR_FAILED', 'another item'));
      await turn();
      return send();
    },
  ],
  [
    'runs out of time alone',
    async ({ send, same }, task) => {
      const call = send();
      for (const item of call.filter(({ item: text }) => text === 'a'))
        same.fail(item, [task], failed('TASK_TIMEOUT', ''));
      await turn();
      return call;
    },
  ],
  [
    'is given back to its queue',
    async ({ send }, task) => {
      task.end({ kind: 'returned' });
      await turn();
      return send();
    },
  ],
];

describe('When the task that brought an item first', () => {
  it.each(earlyEnds)('%s, the others get its value, from one computation', async (_, endEarly) => {
    const rooms = openRooms();
    const first = heldTask(['a', 'only the first wants this']);
    const others = [heldTask(['a']), heldTask(['a', 'b'])];
    for (const task of [first, ...others]) rooms.same.enter(task);
    const call = await endEarly(rooms, first);
    rooms.end(call.filter(({ place }) => place === 'sent'));
    expect(await Promise.all(others.map(valuesOf))).toEqual([valued(['a']), valued(['a', 'b'])]);
    expect(rooms.batcher.size).toBe(0);
    expect((await first.ended).kind).not.toBe('succeeded');
  });

  it('ends early and nobody else wants it, it is not computed', async () => {
    const rooms = openRooms();
    const task = heldTask(['a', 'b']);
    rooms.same.enter(task);
    task.end({ kind: 'returned' });
    await turn();
    expect(rooms.batcher.size).toBe(0);
    rooms.same.enter(heldTask(['a']));
    expect(rooms.batcher.size).toBe(1);
  });
});
