import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTestMillrace } from '@millrace/client/testing';
import { MillraceError } from '@millrace/shared/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const clean = (text: string) => ({ texts: [text], format: 'plain' as const });

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

/** What one input does: turns that its source takes to give it, turns that it takes to compute, turns that its outcome is looked at. */
const step = fc.record({
  comes: fc.integer({ min: 0, max: 3 }),
  takes: fc.integer({ min: 0, max: 6 }),
  looks: fc.integer({ min: 0, max: 2 }),
  fails: fc.boolean(),
});

describe('map', () => {
  it('keeps order and bounds, whatever takes how long, and loses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), async (steps, inFlight) => {
        let [underWay, mostUnderWay, pulled, taken, mostHeld] = [0, 0, 0, 0, 0];
        const mill = createTestMillrace({
          handlers: {
            'text.clean': async ({ texts }) => {
              underWay += 1;
              mostUnderWay = Math.max(mostUnderWay, underWay);
              const { takes = 0, fails = false } = steps[Number(texts[0])] ?? {};
              await turns(takes);
              underWay -= 1;
              if (fails) throw new MillraceError('INVALID_INPUT', `${texts[0]} is wrong`);
              return { texts };
            },
          },
        });
        async function* source() {
          for (const [index, { comes }] of steps.entries()) {
            await turns(comes);
            pulled += 1;
            mostHeld = Math.max(mostHeld, pulled - taken);
            yield clean(String(index));
          }
        }
        for await (const outcome of mill.map('text.clean', source(), { inFlight })) {
          expect(outcome).toMatchObject({ index: taken, input: { texts: [String(taken)] } });
          expect(outcome.status).toBe(steps[taken]?.fails ? 'failed' : 'succeeded');
          await turns(steps[taken]?.looks ?? 0);
          taken += 1;
        }
        expect(taken).toBe(steps.length);
        expect(mostUnderWay).toBeLessThanOrEqual(inFlight);
        // As many under way, as many done before their turn, and the one that is looked at.
        expect(mostHeld).toBeLessThanOrEqual(2 * inFlight + 1);
      }),
      { numRuns: 60 },
    );
  });

  it('enqueues together what is ready together, and at once what comes alone', async () => {
    const mill = createTestMillrace({ handlers: { 'text.clean': ({ texts }) => ({ texts }) } });
    const sizes: number[] = [];
    const { transport } = mill as unknown as { transport: { prepare(tasks: unknown[]): unknown } };
    const prepare = transport.prepare.bind(transport);
    transport.prepare = (...given) => {
      sizes.push(given[0].length);
      return prepare(...given);
    };
    const inputs = Array.from({ length: 100 }, (_, index) => clean(String(index)));
    for await (const outcome of mill.map('text.clean', inputs, { inFlight: 50 })) {
      expect(outcome.status).toBe('succeeded');
    }
    expect(sizes[0]).toBe(50);
    sizes.length = 0;
    let onTaken = () => {};
    async function* oneByOne() {
      for (let index = 0; index < 5; index += 1) {
        // Whoever waited for more to come would wait for ever.
        const taken = new Promise<void>((resolve) => {
          onTaken = resolve;
        });
        yield clean(String(index));
        await taken;
      }
    }
    for await (const { status } of mill.map('text.clean', oneByOne())) {
      expect(status).toBe('succeeded');
      onTaken();
    }
    expect(sizes).toEqual([1, 1, 1, 1, 1]);
  });

  it('waits for room and for Redis, and gives up when that was too long', async () => {
    const mill = createTestMillrace({ handlers: { 'text.clean': ({ texts }) => ({ texts }) } });
    mill.control.full = true;
    const outcomes = mill.map('text.clean', [clean('a'), clean('b')]);
    const first = outcomes.next();
    await turns(20);
    mill.control.full = false;
    expect((await first).value).toMatchObject({ status: 'succeeded', output: { texts: ['a'] } });
    mill.control.away = true;
    const refused = mill.map('text.clean', [clean('a')], { waitForRoomMs: 0 });
    await expect(refused.next()).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    mill.control.away = false;
    expect((await outcomes.next()).value).toMatchObject({ status: 'succeeded', output: { texts: ['b'] } });
  });

  it('gives a task up that takes too long, cancels it, and goes on', async () => {
    const mill = createTestMillrace({
      handlers: {
        'text.clean': async ({ texts }, { signal }) => {
          if (texts[0] === 'slow') await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return { texts };
        },
      },
    });
    const statuses: string[] = [];
    for await (const outcome of mill.map('text.clean', [clean('slow'), clean('b')], { waitMs: 20, inFlight: 1 })) {
      statuses.push(outcome.status === 'failed' ? outcome.error.code : outcome.status);
    }
    expect(statuses).toEqual(['WAIT_TIMEOUT', 'succeeded']);
    expect(mill.control.tasks.map(({ state }) => state)).toEqual(['cancelled', 'succeeded']);
  });

  it('does nothing before its first outcome is asked for', async () => {
    const mill = createTestMillrace();
    const outcomes = mill.map('text.clean', [clean('a')]);
    await turns(5);
    expect(mill.control.tasks).toEqual([]);
    await outcomes.return();
  });
});
