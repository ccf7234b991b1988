import type { Millrace } from '@millrace/client';
import { createTestMillrace, type TestMillrace } from '@millrace/client/testing';
import { MillraceError } from '@millrace/shared/errors';
import { defineTaskType } from '@millrace/shared/tasks/define-task-type';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cosine } from '../../../test/setup/mill.ts';

/** The code of an app: it knows nothing of tests. */
async function nearest(mill: Millrace, query: string, texts: readonly string[]): Promise<string | undefined> {
  const [wanted, ...vectors] = await mill.embed([query, ...texts]);
  const scores = vectors.map((vector) => cosine(vector, wanted ?? vector));
  return texts[scores.indexOf(Math.max(...scores))];
}

async function plainText(mill: Millrace, html: string): Promise<string> {
  const task = await mill.enqueue('text.clean', { texts: [html], format: 'html' }, { attempts: 2 });
  const { texts } = await task.result();
  return texts[0] ?? '';
}

describe('The unit test of an app', () => {
  it('needs no server', async () => {
    const mill = createTestMillrace({ handlers: { 'text.clean': () => ({ texts: ['the wheel turns'] }) } });
    expect(await plainText(mill, '<p>The wheel turns')).toBe('the wheel turns');
    expect(await nearest(mill, 'which wheel?', ['a quiet night', 'the wheel turns'])).toBe('the wheel turns');
    mill.control.failNext('text.clean', 'TASK_TIMEOUT', 2);
    await expect(plainText(mill, '<p>')).rejects.toMatchObject({ code: 'TASK_TIMEOUT' });
  });
});

const clean = { texts: ['a'], format: 'plain' as const };

function open(): TestMillrace {
  return createTestMillrace({ handlers: { 'text.clean': ({ texts }) => ({ texts }) } });
}

describe('The test double', () => {
  it('is a client, and checks tasks and outputs by the schemas of their types', async () => {
    const mill = createTestMillrace({ handlers: { 'text.clean': () => ({ texts: [1] }) as never } });
    const wrong = mill.enqueue('text.clean', { texts: [], format: 'html' });
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: 'input.texts' }] });
    expect(mill.control.tasks).toEqual([]);
    const task = await mill.enqueue('text.clean', clean);
    await expect(task.result()).rejects.toThrow('output.texts[0]: got 1, expected a string');
  });

  it('names the handler that is missing', async () => {
    const task = await createTestMillrace().enqueue('text.clean', clean);
    await expect(task.result()).rejects.toThrow("createTestMillrace({ handlers: { 'text.clean'");
  });

  it('gives the same text the same vector, and texts of like words like vectors', async () => {
    const texts = ['The wheel turns', 'the wheel stands', 'a quiet night', '?'];
    const vectors = await createTestMillrace().embed(texts);
    expect(await createTestMillrace().embed(texts)).toEqual(vectors);
    const [turns, stands, night] = vectors as [Float32Array, Float32Array, Float32Array];
    expect(cosine(turns, stands)).toBeGreaterThan(cosine(turns, night) + 0.3);
    for (const vector of vectors) expect(cosine(vector, vector)).toBeCloseTo(1, 5);
  });

  it('takes task types of one’s own', async () => {
    const shout = defineTaskType({
      type: 'text.shout',
      family: 'text',
      description: 'Capitals.',
      input: z.strictObject({ text: z.string() }),
      output: z.object({ text: z.string() }),
      example: { text: 'a' },
    });
    const mill = createTestMillrace({
      taskTypes: [shout],
      handlers: { 'text.shout': ({ text }) => ({ text: text.toUpperCase() }) },
    });
    expect(await (await mill.enqueue('text.shout', { text: 'quiet' })).result()).toEqual({ text: 'QUIET' });
  });

  it('lets time pass only when it is told to', async () => {
    const mill = open();
    const later = await mill.enqueue('text.clean', clean, { delayMs: 60_000 });
    await mill.control.advance(59_999);
    expect(await later.read()).toMatchObject({ state: 'scheduled', createdAt: '2030-01-01T00:00:00.000Z' });
    await mill.control.advance(1);
    expect(await later.read()).toMatchObject({ state: 'succeeded', finishedAt: '2030-01-01T00:01:00.000Z' });
    mill.control.hold('text.clean');
    const late = await mill.enqueue('text.clean', clean, { expiresInMs: 1000 });
    await mill.control.advance(1000);
    await expect(late.result()).rejects.toMatchObject({ code: 'EXPIRED' });
    await mill.control.advance(24 * 3_600_000);
    await expect(later.result()).rejects.toMatchObject({ code: 'RESULT_EXPIRED' });
  });

  it('has tasks wait, succeed and fail by hand', async () => {
    const mill = open();
    mill.control.hold('text.clean');
    const tasks = await mill.enqueueMany('text.clean', [clean, clean, clean, clean]);
    await mill.control.idle();
    expect(mill.control.tasks.map(({ state }) => state)).toEqual(new Array(4).fill('queued'));
    expect(mill.control.tasks[0]).toMatchObject({ id: tasks[0]?.id, type: 'text.clean', input: clean });
    mill.control.succeed(tasks[0]?.id ?? '', { texts: ['by hand'] });
    mill.control.fail(tasks[1]?.id ?? '', 'POISONED');
    mill.control.fail(tasks[2]?.id ?? '', new MillraceError('MODEL_DAMAGED', 'a byte is wrong'));
    mill.control.release('text.clean');
    const ends = await Promise.allSettled(tasks.map((task) => task.result()));
    expect(ends).toMatchObject([
      { value: { texts: ['by hand'] } },
      { reason: { code: 'POISONED' } },
      { reason: { code: 'MODEL_DAMAGED', message: 'a byte is wrong' } },
      { value: { texts: ['a'] } },
    ]);
  });

  it('tries again what may succeed, and begins what is urgent first', async () => {
    const order: string[] = [];
    const mill = createTestMillrace({
      handlers: {
        'text.clean': ({ texts }, { attempt, progress }) => {
          order.push(`${texts[0]}${attempt}`);
          progress(1, 2);
          if (texts[0] === 'shaky' && attempt < 3) throw new Error('not yet');
          return { texts };
        },
      },
    });
    const input = (text: string) => ({ texts: [text], format: 'plain' as const });
    const shaky = await mill.enqueue('text.clean', input('shaky'), { priority: 'low' });
    await mill.enqueue('text.clean', input('urgent'), { priority: 'critical' });
    await mill.enqueue('text.clean', input('usual'));
    expect(await shaky.result()).toEqual({ texts: ['shaky'] });
    expect(order).toEqual(['urgent1', 'usual1', 'shaky1', 'shaky2', 'shaky3']);
    expect(await shaky.read()).toMatchObject({ attempt: 3, attempts: 3, progress: { done: 1, total: 2 } });
  });

  it('is full or away when it is told to be', async () => {
    const mill = open();
    mill.control.full = true;
    await expect(mill.enqueue('text.clean', clean)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    const waiting = mill.enqueue('text.clean', clean, { waitForRoomMs: 10_000 });
    mill.control.full = false;
    const task = await waiting;
    mill.control.away = true;
    for (const call of [() => task.read(), () => task.result(), () => mill.enqueue('text.clean', clean)]) {
      await expect(call()).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    }
    mill.control.away = false;
    expect(await task.result()).toEqual({ texts: ['a'] });
  });
});
