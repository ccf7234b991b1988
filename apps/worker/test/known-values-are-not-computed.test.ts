import { failed } from '@millrace/shared/tasks/processor';
import { describe, expect, it } from 'vitest';
import type { SharedValues } from '../dist/process/known-values.js';
import { takersOf } from '../dist/process/queued-item.js';
import { openRooms, turn, valued, valuesOf } from './same-item-rooms.ts';
import { echoType, heldTask } from './same-item-tasks.ts';

const kib = 2 ** 10;

/** The values of others: what a test puts there, and what the rooms write. */
class Shelf implements SharedValues {
  isOpen = true;
  readonly values = new Map<string, Uint8Array<ArrayBuffer>>();
  asked = 0;
  /** Answers when it is let. */
  release: Promise<void> = Promise.resolve();

  async read(ids: Parameters<SharedValues['read']>[0]) {
    this.asked += ids.length;
    await this.release;
    return ids.map(({ fingerprint, hash }) => this.values.get(`${fingerprint} ${hash}`));
  }

  write(entries: Parameters<SharedValues['write']>[0]) {
    for (const { id, bytes } of entries) this.values.set(`${id.fingerprint} ${id.hash}`, new Uint8Array(bytes));
  }
}

describe('What was computed lately', () => {
  it('is not computed again', async () => {
    const rooms = openRooms({ memory: 100 * kib });
    rooms.same.enter(heldTask(['a', 'b']));
    rooms.computeAll();
    const again = heldTask(['b', 'a', 'b']);
    rooms.same.enter(again);
    expect(await valuesOf(again)).toEqual(valued(['b', 'a', 'b']));
    expect(again.calls).toBe(0);
    expect(rooms.computed.sort()).toEqual(['a', 'b']);
    expect(await rooms.shares('memory')).toBe(3);
  });

  it('is forgotten, what was used longest ago first, where the memory ends', async () => {
    const rooms = openRooms({ memory: 3 * 450 });
    for (const text of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) {
      rooms.same.enter(heldTask([text]));
      rooms.computeAll();
    }
    // 'd' took the place of 'b', which had not been used since; then 'b' that of 'c'.
    expect(rooms.computed).toEqual(['a', 'b', 'c', 'd', 'b']);
    expect(rooms.known.bytes).toBeLessThanOrEqual(3 * 450);
  });

  it('is not given to anybody once a lane has started that computes with something else', async () => {
    const rooms = openRooms({ memory: 100 * kib });
    rooms.known.renew(echoType, [{ source: 'a', fingerprint: 'model 1' }]);
    const enter = async (text: string, by: string) => {
      const task = heldTask([text]);
      rooms.same.enter(task);
      rooms.computeAll(by);
      return await valuesOf(task);
    };
    await enter('a', 'model 1');
    await enter('b', 'model 1');
    rooms.known.renew(echoType, [{ source: 'a', fingerprint: 'model 2' }]);
    expect(await enter('a', 'model 2')).toEqual(valued(['a'], 'model 2'));
    // Of this source the lane has said nothing.
    expect(await enter('b', 'model 2')).toEqual(valued(['b'], 'model 2'));
    rooms.known.renew(echoType, [{ source: 'a', fingerprint: 'model 1' }]);
    expect(await enter('a', 'model 3')).toEqual(valued(['a'], 'model 1'));
    expect(rooms.computed).toEqual(['a', 'b', 'a', 'b']);
  });

  it('is not a failure: that is tried again', async () => {
    const rooms = openRooms({ memory: 100 * kib });
    const task = heldTask(['a']);
    rooms.same.enter(task);
    rooms.same.settle(rooms.send(), [failed('PROCESSOR_FAILED', 'it broke')]);
    expect(await valuesOf(task)).toMatchObject({ code: 'PROCESSOR_FAILED' });
    rooms.same.enter(heldTask(['a']));
    expect(rooms.batcher.size).toBe(1);
  });
});

describe('What others have computed', () => {
  function openWithShelf() {
    const shelf = new Shelf();
    const rooms = openRooms({ memory: 100 * kib, shared: shelf });
    rooms.known.renew(echoType, [{ source: 'a', fingerprint: 'model 1' }]);
    return { shelf, rooms };
  }

  it('is not computed, and is asked for once', async () => {
    const { shelf, rooms } = openWithShelf();
    rooms.same.enter(heldTask(['a1', 'a2']));
    await turn();
    rooms.computeAll();
    expect(shelf.values.size).toBe(2);

    const next = openRooms({ memory: 100 * kib, shared: shelf });
    next.known.renew(echoType, [{ source: 'a', fingerprint: 'model 1' }]);
    const [task, same] = [heldTask(['a2', 'a3', 'a1']), heldTask(['a1', 'a2'])];
    next.same.enter(task);
    expect(next.same.pending).toEqual({ items: 3, cost: 3 });
    expect(next.batcher.size).toBe(0);
    next.same.enter(same);
    await turn();
    expect(await valuesOf(same)).toEqual(valued(['a1', 'a2']));
    expect(next.same.pending).toEqual({ items: 0, cost: 0 });
    expect(next.lookUps()).toBe(1);
    next.computeAll();
    expect(await valuesOf(task)).toEqual(valued(['a2', 'a3', 'a1']));
    expect(next.computed).toEqual(['a3']);
    expect(await next.shares('redis')).toBe(2);
    const asked = shelf.asked;
    next.same.enter(heldTask(['a1', 'a2', 'a3']));
    expect(shelf.asked).toBe(asked);
  });

  it('is not asked for while nobody knows what would compute it, nor while there is no answer to be had', async () => {
    const { shelf, rooms } = openWithShelf();
    rooms.same.enter(heldTask(['b']));
    shelf.isOpen = false;
    rooms.same.enter(heldTask(['a']));
    expect(rooms.batcher.size).toBe(2);
    rooms.computeAll();
    expect({ asked: shelf.asked, kept: shelf.values.size }).toEqual({ asked: 0, kept: 0 });
    shelf.isOpen = true;
    rooms.same.enter(heldTask(['b2']));
    expect(shelf.asked).toBe(1);
  });

  it('is not used when a lane has started meanwhile that computes with something else', async () => {
    const { shelf, rooms } = openWithShelf();
    rooms.same.enter(heldTask(['a']));
    await turn();
    rooms.computeAll();
    const next = openRooms({ memory: 0, shared: shelf });
    next.known.renew(echoType, [{ source: 'a', fingerprint: 'model 1' }]);
    next.same.enter(heldTask(['a']));
    next.known.renew(echoType, [{ source: 'a', fingerprint: 'model 2' }]);
    await turn();
    expect(next.batcher.size).toBe(1);
  });

  it('comes to nobody when the tasks are given back meanwhile', async () => {
    const { shelf, rooms } = openWithShelf();
    let answer = () => {};
    shelf.release = new Promise((resolve) => {
      answer = resolve;
    });
    const [cancelled, waiting] = [heldTask(['a1']), heldTask(['a2'])];
    rooms.same.enter(cancelled);
    rooms.same.enter(waiting);
    cancelled.end({ kind: 'returned' });
    await turn();
    expect(rooms.same.pending.items).toBe(1);
    expect(rooms.same.drain().flatMap(takersOf)).toEqual([waiting]);
    waiting.end({ kind: 'returned' });
    answer();
    await turn();
    expect(rooms.batcher.size).toBe(0);
  });
});
