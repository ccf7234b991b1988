import { Millrace } from '@millrace/client';
import { defineTaskType, type TaskType } from '@millrace/shared/tasks/define-task-type';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const wordCount = defineTaskType({
  type: 'text.word-count',
  family: 'text',
  description: 'How many words texts have.',
  input: z.strictObject({ texts: z.array(z.string()).min(1), unit: z.enum(['word', 'line']).optional() }),
  output: z.object({ counts: z.array(z.int()) }),
  example: { texts: ['The wheel turns.'] },
});

const shout = defineTaskType({
  type: 'text.shout',
  family: 'text',
  description: 'Texts in capitals.',
  input: z.strictObject({ texts: z.array(z.string()) }),
  output: z.object({ texts: z.array(z.string()) }),
  example: { texts: ['quiet'] },
  items: ({ texts }: { texts: string[] }) => texts,
  join: (values: readonly string[]) => ({ texts: [...values] }),
});

const address = { redisUrl: 'redis://127.0.0.1:1' };

/** Never run: the compiler alone is to read them. `tsc -p tsconfig.tests.json` fails when one of them is wrong. */
async function typedUses(own: Millrace<readonly [typeof wordCount, typeof shout]>, plain: Millrace) {
  const task = await own.enqueue('text.word-count', { texts: ['a'], unit: 'word' });
  expectTypeOf(task.type).toEqualTypeOf<'text.word-count'>();
  expectTypeOf(await task.result()).toEqualTypeOf<{ counts: number[] }>();
  const tasks = await own.enqueueMany('text.shout', [{ texts: ['a'] }]);
  expectTypeOf(await tasks[0]?.result()).toEqualTypeOf<{ texts: string[] } | undefined>();
  for await (const outcome of own.map('text.word-count', [{ texts: ['a'] }])) {
    expectTypeOf(outcome.input.texts).toEqualTypeOf<string[]>();
    if (outcome.status === 'succeeded') expectTypeOf(outcome.output.counts).toEqualTypeOf<number[]>();
    else expectTypeOf(outcome.error.code).toExtend<string>();
  }
  const embedded = await own.enqueue('inference.embed', { texts: ['a'] });
  expectTypeOf((await embedded.result()).embeddings).toEqualTypeOf<Float32Array[]>();
  expectTypeOf(await own.task('t-1', 'text.shout').result()).toEqualTypeOf<{ texts: string[] }>();

  const run = await own.runs.submit('text.word-count', [{ texts: ['a'] }]);
  for await (const outcome of run.results()) {
    if (outcome.status === 'succeeded') expectTypeOf(outcome.output.counts).toEqualTypeOf<number[]>();
  }
  await own.runs.submit('text.shout', { jsonl: 'inputs.jsonl' });
  expectTypeOf((await own.runs.get('batch_1', 'text.shout')).type).toEqualTypeOf<'text.shout'>();
  // @ts-expect-error an input of another type
  await own.runs.submit('text.shout', [{ counts: [1] }]);

  // @ts-expect-error a type that nobody defined
  await own.enqueue('text.word-counts', { texts: ['a'] });
  // @ts-expect-error a field of the wrong type
  await own.enqueue('text.word-count', { texts: [1] });
  // @ts-expect-error a field that is misspelt
  await own.enqueue('text.word-count', { texts: ['a'], units: 'word' });
  // @ts-expect-error a value that is none of those there are
  await own.enqueue('text.word-count', { texts: ['a'], unit: 'page' });
  // @ts-expect-error an input of another type
  await own.enqueueMany('text.shout', [{ counts: [1] }]);
  // @ts-expect-error an input of another type
  own.map('text.shout', [{ counts: [1] }]);
  // @ts-expect-error a client that was not given the type
  await plain.enqueue('text.word-count', { texts: ['a'] });
  // @ts-expect-error a built-in type's own fields
  await own.enqueue('text.clean', { texts: ['a'], format: 'pdf' });
}

/** What takes any client takes one with types of its own, and one that is not typed takes any type. */
async function looseUses(own: Millrace<readonly [typeof wordCount]>, loose: Millrace<readonly TaskType[]>) {
  const takesAny = async (mill: Millrace) => await mill.embed(['a']);
  await takesAny(own);
  const task = await loose.enqueue('text.made-up', { anything: true });
  expectTypeOf(await task.result()).toEqualTypeOf<unknown>();
}

describe('A client with task types of its own', () => {
  it('is typed by them, without `as const`', async () => {
    const mill = new Millrace({ ...address, taskTypes: [wordCount, shout] });
    expectTypeOf(mill).toEqualTypeOf<Millrace<readonly [typeof wordCount, typeof shout]>>();
    expectTypeOf(new Millrace(address)).toEqualTypeOf<Millrace>();
    expect([typedUses, looseUses]).toHaveLength(2);
    await mill.close();
  });

  it('checks their inputs before anything is sent', async () => {
    const mill = new Millrace({ ...address, taskTypes: [wordCount] });
    const wrong = { texts: [1], unit: 'page' } as unknown as { texts: string[] };
    await expect(mill.enqueue('text.word-count', wrong)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: 'input.texts[0]' }, { path: 'input.unit' }],
    });
    await mill.close();
  });

  it('refuses a name that is taken, and an address that says too much or too little', () => {
    expect(() => new Millrace({ ...address, taskTypes: [wordCount, wordCount] })).toThrow(/defined twice/);
    expect(() => new Millrace({ ...address, baseUrl: 'http://127.0.0.1:1' })).toThrow(/redisUrl and baseUrl/);
    expect(() => new Millrace({} as { redisUrl: string })).toThrow(/either redisUrl or baseUrl/);
    expect(() => new Millrace({ baseUrl: 'localhost:3000' })).toThrow(/expected http/);
    expect(() => new Millrace({ baseUrl: 'http://127.0.0.1:1', apiKey: 'a\nb' })).toThrow(/apiKey/);
  });
});
