import { parseTaskId } from '@millrace/shared/tasks/ids';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowMs } from '../../apps/api/src/runs/completion-window.ts';
import { cutEmbedUnits } from '../../apps/api/src/runs/endpoints/embeddings.ts';
import type { RunLine } from '../../apps/api/src/runs/run-line.ts';
import { contentDigest, runTaskId } from '../../apps/api/src/runs/run-task-id.ts';
import type { LineOutcome, Unit } from '../../apps/api/src/runs/unit.ts';
import { UnitFlow } from '../../apps/api/src/runs/unit-flow.ts';
import { Window } from '../../apps/api/src/runs/window.ts';

const size = { texts: 5, characters: 60 };
const cut = cutEmbedUnits(size);

/** Bodies of all kinds: one text or several, of two models, long ones, and some that are wrong. */
const body = fc.oneof(
  fc.record({ input: fc.constantFrom('a', 'some text', 'x'.repeat(70)), model: fc.constantFrom('one', 'two') }),
  fc.record({ input: fc.array(fc.constant('text'), { minLength: 1, maxLength: 12 }), model: fc.constant('one') }),
  fc.constantFrom({ input: '' }, { input: [1] }, { input: 'x', model: '../up' }, {}),
);

function linesOf(bodies: readonly object[], from = 0): RunLine[] {
  return bodies.map((given, index) => {
    const number = from + index + 1;
    const text = JSON.stringify(given);
    const end = { line: number, byte: number * 100 };
    return {
      number,
      end,
      customId: `${number}`,
      body: given as Record<string, unknown>,
      bytes: text.length,
      digest: '',
    };
  });
}

/** Lines come in batches as they were read, which is never twice the same. */
async function* inBatches(lines: readonly RunLine[], sizes: readonly number[]): AsyncGenerator<RunLine[]> {
  let start = 0;
  for (let at = 0; start < lines.length; at += 1) {
    const end = start + (sizes[at % Math.max(1, sizes.length)] ?? 3);
    yield lines.slice(start, end);
    start = end;
  }
}

async function unitsOf(lines: readonly RunLine[], sizes: readonly number[]): Promise<Unit[]> {
  const units: Unit[] = [];
  for await (const unit of cut(inBatches(lines, sizes))) units.push(unit);
  return units;
}

const shapeOf = (units: readonly Unit[]) =>
  units.map(({ lines, items, end }) => [lines.map((line) => line.number), items, end]);
const batchSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

describe('Lines of a run make units', () => {
  it('that are the same whoever cuts them, from whichever unit on, in whatever pieces they are read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { maxLength: 60 }),
        batchSizes,
        batchSizes,
        fc.nat(),
        async (bodies, a, b, at) => {
          const lines = linesOf(bodies);
          const units = await unitsOf(lines, a);
          expect(units.flatMap((unit) => unit.lines)).toEqual(lines.map((line) => expect.objectContaining(line)));
          const cursor = units.length === 0 ? 0 : (units[at % units.length]?.end.line ?? 0);
          const rest = await unitsOf(lines.slice(cursor), b);
          expect(shapeOf(rest)).toEqual(shapeOf(units.filter(({ end }) => end.line > cursor)));
        },
      ),
    );
  });

  it('of one model, with no more texts than a task takes, unless a line alone has more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(body, { maxLength: 60 }), batchSizes, async (bodies, sizes) => {
        for (const { lines, items } of await unitsOf(linesOf(bodies), sizes)) {
          const right = lines.filter(({ body: { input, model } }) => input !== '' && `${model}`.match(/^(one|two)$/));
          expect(new Set(right.map(({ body: { model } }) => model)).size).toBeLessThanOrEqual(1);
          if (right.length > 1) expect(items).toBeLessThanOrEqual(size.texts);
        }
      }),
    );
  });
});

describe('Units under way', () => {
  it('come out in order, and are never more than the window has room for', async () => {
    const unit = fc.record({
      items: fc.integer({ min: 0, max: 9 }),
      bytes: fc.integer({ min: 0, max: 9 }),
      turns: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(unit, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), async (given, every) => {
        const limits = { items: 12, bytes: 20, mostBytes: 20 };
        const window = new Window(limits);
        const inside = new Set<Unit>();
        const made = given.map(({ items, bytes, turns }, index) => ({
          lines: [],
          end: { line: index, byte: 0 },
          items,
          bytes,
          work: async (): Promise<LineOutcome[]> => {
            for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            return [];
          },
        }));
        async function* units(): AsyncGenerator<Unit> {
          yield* made;
        }
        const work = (each: Unit) => {
          inside.add(each);
          const taken = [...inside].reduce((sum, { items }) => sum + items, 0);
          if (inside.size > 1) expect(taken).toBeLessThanOrEqual(limits.items);
          return each.work(async () => ({ kind: 'undone' }));
        };
        const flow = new UnitFlow({ units: units(), window, work });
        const done: Unit[] = [];
        let uncommitted: Unit[] = [];
        const commit = () => {
          for (const each of uncommitted) inside.delete(each);
          for (const each of uncommitted) window.leave(each);
          uncommitted = [];
        };
        for (;;) {
          const step = await flow.next(new Promise(() => {}));
          if (step.kind === 'end') break;
          if (step.kind === 'done') {
            done.push(step.unit);
            uncommitted.push(step.unit);
          }
          if (step.kind === 'full' || uncommitted.length >= every) commit();
        }
        await flow.stop();
        expect(done).toEqual(made);
      }),
    );
  });

  it('stop the flow with what making one throws, and with what the one throws whose turn it is', async () => {
    const unit: Unit = { lines: [], end: { line: 1, byte: 1 }, items: 1, bytes: 1, work: async () => [] };
    async function* broken(): AsyncGenerator<Unit> {
      yield unit;
      throw new Error('the input is gone');
    }
    const limits = { items: 10, bytes: 10, mostBytes: 10 };
    const flow = new UnitFlow({ units: broken(), window: new Window(limits), work: async () => [] });
    const steps = async () => {
      for (;;) if ((await flow.next(new Promise(() => {}))).kind === 'end') return;
    };
    await expect(steps()).rejects.toThrow('the input is gone');
    await flow.stop();
    async function* one(): AsyncGenerator<Unit> {
      yield unit;
    }
    const work = async () => {
      throw new Error('the work failed');
    };
    const failing = new UnitFlow({ units: one(), window: new Window(limits), work });
    await expect(failing.next(new Promise(() => {}))).rejects.toThrow('the work failed');
    await failing.stop();
  });
});

describe('The id of a task of a run', () => {
  const origin = {
    runId: 'batch_1',
    createdAt: 1_700_000_000_000,
    line: 5,
    part: 'unit-0',
    generation: 0,
    content: 'c',
  };

  it('is one of ours, the same for the same, and another for anything else', () => {
    const id = runTaskId('inference', origin);
    expect(parseTaskId(id)).toEqual({ family: 'inference', jobId: id });
    expect(runTaskId('inference', origin)).toBe(id);
    const others = [
      { ...origin, runId: 'batch_2' },
      { ...origin, line: 6 },
      { ...origin, part: 'unit-1' },
      { ...origin, generation: 1 },
      { ...origin, content: 'd' },
    ].map((other) => runTaskId('inference', other));
    expect(new Set([id, ...others]).size).toBe(others.length + 1);
    expect(contentDigest({ type: 't', input: { a: 1 } })).not.toBe(contentDigest({ type: 't', input: { a: 2 } }));
  });

  it('sorts by the age of its run, then by its line', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 28 - 1), fc.nat(2 ** 28 - 1), fc.nat(10_000), (a, b, later) => {
        const ids = [a, b].map((line) => runTaskId('text', { ...origin, line }));
        if (a !== b) expect((ids[0] ?? '') < (ids[1] ?? '')).toBe(a < b);
        const younger = runTaskId('text', { ...origin, createdAt: origin.createdAt + 1 + later, line: a });
        expect((ids[1] ?? '') < younger).toBe(true);
      }),
    );
  });
});

describe('A completion window', () => {
  it.each([
    ['24h', 86_400_000],
    ['90s', 90_000],
    ['15m', 900_000],
    ['7d', 604_800_000],
    ['90d', 2_592_000_000],
    ['0s', 1000],
    ['soon', 86_400_000],
    ['', 86_400_000],
  ])('%j is %d ms', (text, ms) => {
    expect(windowMs(text)).toBe(ms);
  });
});
