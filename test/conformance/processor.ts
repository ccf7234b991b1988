import { errorTable } from '@millrace/shared/errors';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { CallContext, ItemOutcome, Processor } from '@millrace/shared/tasks/processor';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { mixedTexts } from '../setup/mill.ts';
import { expectLike } from './expect-like.ts';

/** A processor to be held to the contract, and what the suite has to know of its type. */
export interface ProcessorUnderTest {
  readonly taskType: TaskType;
  processor(): Promise<Processor>;
  /** An input with these texts in it; one that the type's schema refuses is left out. */
  inputOf(texts: readonly string[]): unknown;
  /** Inputs that pass the schema and cannot be computed; there may be none. */
  readonly bad: readonly unknown[];
  /** By how much a number may differ between an item alone and the same in a batch; 0: not at all. */
  readonly tolerance: number;
}

/** A megabyte is the most that a task may bring as a rule; more of a text than any model reads. */
const megabyte = 1_000_000;
const limitMs = 120_000;
const context: CallContext = { count: () => {}, signal: new AbortController().signal };

/** Texts that nobody would send and somebody will, by what they are. */
const oddTexts: Readonly<Record<string, string>> = {
  'an empty text': '',
  'a space': ' ',
  'white space of other kinds': '\n\t\r\n\u3000',
  'a NUL': '\u0000',
  'a NUL inside a word': 'a\u0000b',
  'half a surrogate pair': '\ud800',
  'the other half inside a text': 'lone \udc00 surrogate',
  'characters that nobody sees': '\u202e\u200b\ufeff',
  'families of emoji': '🧑‍🤝‍🧑'.repeat(50),
  'torn HTML': '<<<>>>&&&amp;&#x110000;<![CDATA[',
  'torn Markdown': '``` ~~~ [[[]]](((*** ___',
  'signs alone': '§'.repeat(2000),
  'a megabyte of words': 'word '.repeat(megabyte / 5),
  'a megabyte without a space': 'x'.repeat(megabyte),
};

/** Any code units at all, lone surrogates and NUL among them. */
const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 }).map(toText) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 80 }) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values(oddTexts).filter(({ length }) => length < 10_000)) },
);

function toText(units: readonly number[]): string {
  return String.fromCharCode(...units);
}

/** The promises that a processor makes to the worker, as `Processor` says. */
export function describeProcessor(name: string, { taskType, ...under }: ProcessorUnderTest): void {
  let processor: Processor;
  beforeAll(async () => {
    processor = await under.processor();
  }, limitMs);

  /** The input as the door lets it pass; undefined when it does not. */
  const parse = (input: unknown): { input: unknown; items: readonly unknown[] } | undefined => {
    const parsed = taskType.input.safeParse(input);
    return parsed.success ? { input: parsed.data, items: taskType.items(parsed.data) } : undefined;
  };
  const itemsOf = (texts: readonly string[]) => parse(under.inputOf(texts))?.items ?? [];
  const compute = async (items: readonly unknown[]) => {
    const outcomes = await processor.process(items, context);
    expectOutcomes(outcomes, items.length);
    return outcomes;
  };
  /** One call for each batch key, as a worker makes them; outcomes in the order of the items. */
  const computeByKey = async (items: readonly unknown[]) => {
    const outcomes: ItemOutcome[] = new Array(items.length);
    const keys = new Set(items.map((item) => taskType.batchKey(item)));
    for (const key of keys) {
      const mine = [...items.keys()].filter((index) => taskType.batchKey(items[index]) === key);
      const some = await compute(mine.map((index) => items[index]));
      mine.forEach((index, position) => {
        outcomes[index] = some[position] as ItemOutcome;
      });
    }
    return outcomes;
  };
  /** Items of many tasks, each with a text of its own, and one with several. */
  const manyItems = () => {
    const texts = mixedTexts(12);
    return [...texts.flatMap((text) => itemsOf([text])), ...itemsOf(texts.slice(0, 4))];
  };

  describe(`The processor of ${name}`, () => {
    it(
      'gives the same outcome for an item alone and in a batch, in order, and leaves the items as they are',
      async () => {
        const items = manyItems();
        expect(items.length).toBeGreaterThan(0);
        const before = structuredClone(items);
        const together = await computeByKey(items);
        expect(together.filter(({ ok }) => !ok)).toEqual([]);
        expect(items).toEqual(before);
        const alone = await Promise.all(items.map(async (item) => (await compute([item]))[0]));
        expectLike(together, alone, under.tolerance);
      },
      limitMs,
    );

    it('makes the result that the type promises of the values of its example, and of others', async () => {
      for (const input of [taskType.example, under.inputOf(mixedTexts(3))]) {
        const parsed = parse(input);
        if (parsed === undefined) continue;
        const values = (await computeByKey(parsed.items)).map(succeededValue);
        const output = taskType.join(structuredClone(values), parsed.input);
        expect(taskType.output.safeParse(output).error).toBeUndefined();
        expect(() => JSON.stringify(output)).not.toThrow();
      }
    });

    it('gives nothing for nothing', async () => {
      expect(await processor.process([], context)).toEqual([]);
    });

    it.runIf(under.bad.length > 0)('fails what cannot be computed, and that alone', async () => {
      const good = itemsOf(mixedTexts(2));
      const bad = under.bad.flatMap((input) => parse(input)?.items ?? []);
      expect(bad.length).toBeGreaterThan(0);
      const outcomes = await computeByKey([...good.slice(0, 1), ...bad, ...good.slice(1)]);
      const expected = [...good.slice(0, 1).map(() => true), ...bad.map(() => false), ...good.slice(1).map(() => true)];
      expect(outcomes.map(({ ok }) => ok)).toEqual(expected);
    });

    it.each(Object.entries(oddTexts))(
      'gives an outcome for %s',
      async (_, text) => {
        await computeByKey([...itemsOf([text]), ...itemsOf(mixedTexts(1)), ...itemsOf([text, text])]);
      },
      limitMs,
    );

    it(
      'gives one outcome per item for texts of any kind',
      async () => {
        const property = fc.asyncProperty(fc.array(anyText, { minLength: 1, maxLength: 5 }), async (texts) => {
          await computeByKey(itemsOf(texts));
        });
        await fc.assert(property, { numRuns: 100 });
      },
      limitMs,
    );
  });
}

/** One outcome per item, each a value that can pass to the worker or a failure of a known code. */
function expectOutcomes(outcomes: readonly ItemOutcome[], items: number): void {
  expect(outcomes).toHaveLength(items);
  for (const outcome of outcomes) {
    if (outcome.ok) expect(structuredClone(outcome.value)).toEqual(outcome.value);
    else {
      expect(Object.keys(errorTable)).toContain(outcome.code);
      expect(outcome.message).not.toBe('');
    }
  }
}

function succeededValue(outcome: ItemOutcome): unknown {
  if (!outcome.ok) throw new Error(`an item failed with ${outcome.code}: ${outcome.message}`);
  return outcome.value;
}
