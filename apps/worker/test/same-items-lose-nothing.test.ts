import { failed } from '@millrace/shared/tasks/processor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeldTask } from '../dist/process/held-task.js';
import { type QueuedItem, takersOf } from '../dist/process/queued-item.js';
import { openRooms, type Rooms, turn, valued, valuesOf } from './same-item-rooms.ts';
import { heldTask } from './same-item-tasks.ts';

const text = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'unshared');
/** What may happen to the rooms; `which` picks a task or a call. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('enter' as const),
      texts: fc.array(text, { minLength: 1, maxLength: 5 }),
      priority: fc.constantFrom(1, 10, 100),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('send' as const) }) },
  fc.record({
    kind: fc.constantFrom(
      'give back' as const,
      'end' as const,
      'fail' as const,
      'set apart' as const,
      'put back' as const,
    ),
    which: fc.nat(),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** The rooms, and all that has happened to them. */
class Life {
  readonly rooms: Rooms;
  readonly tasks: HeldTask[] = [];
  private readonly sent: (readonly QueuedItem[])[] = [];
  private readonly apart: QueuedItem[][] = [];

  constructor(memory: number) {
    this.rooms = openRooms({ memory });
  }

  act(one: Step): void {
    const { same } = this.rooms;
    switch (one.kind) {
      case 'enter':
        this.tasks.push(heldTask(one.texts, { priority: one.priority }));
        same.enter(this.tasks.at(-1) as HeldTask);
        break;
      case 'send':
        this.sent.push(this.rooms.send());
        break;
      case 'give back':
        this.tasks[one.which % Math.max(1, this.tasks.length)]?.end({ kind: 'returned' });
        break;
      case 'end':
        this.rooms.end(this.takeCall(one.which));
        break;
      case 'fail':
        for (const item of this.takeCall(one.which)) same.fail(item, takersOf(item), failed('POISONED', ''));
        break;
      case 'put back':
        same.putBack(this.wantedOf(one.which));
        break;
      case 'set apart':
        this.apart.push(this.wantedOf(one.which));
        same.setApart(this.apart.at(-1) ?? []);
        break;
    }
  }

  /** Ends every call that is under way, and computes what waits. */
  finish(): void {
    for (const call of this.sent) this.rooms.end(call);
    for (const items of this.apart) this.rooms.end(items.filter(({ place }) => place === 'apart'));
    this.rooms.computeAll();
  }

  private takeCall(which: number): readonly QueuedItem[] {
    return this.sent.splice(which % Math.max(1, this.sent.length), 1)[0] ?? [];
  }

  private wantedOf(which: number): QueuedItem[] {
    const items = this.takeCall(which);
    for (const item of items) if (takersOf(item).length === 0) this.rooms.same.drop(item);
    return items.filter((item) => takersOf(item).length > 0);
  }
}

describe('Whatever happens to calls and tasks', () => {
  it.each([
    ['with a memory', 10_000],
    ['without one', 0],
  ])('every task ends, with the right values, and nothing is left over, %s', async (_, memory) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const life = new Life(memory);
        for (const one of steps) {
          life.act(one);
          await turn();
        }
        life.finish();
        const { rooms, tasks } = life;
        expect(tasks.every(({ isEnded }) => isEnded)).toBe(true);
        for (const task of tasks) {
          const end = await task.ended;
          if (end.kind === 'succeeded') expect(end.values).toEqual(valued(task.items as string[]));
        }
        expect({ items: rooms.batcher.size, cost: rooms.batcher.cost }).toEqual({ items: 0, cost: 0 });
        // Nobody waits for what is over: the same text is computed anew, or is known.
        const last = heldTask(['a', 'b']);
        rooms.same.enter(last);
        rooms.computeAll();
        expect(await valuesOf(last)).toEqual(valued(['a', 'b']));
      }),
      { numRuns: 200 },
    );
  });
});
