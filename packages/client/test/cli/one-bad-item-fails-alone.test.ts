import { MillraceError } from '@millrace/shared/errors';
import { describe, expect, it } from 'vitest';
import { embedRecipe } from '../../src/cli/embed-recipe.ts';
import type { Part } from '../../src/cli/flow/parts.ts';
import { TaskFlow } from '../../src/cli/flow/task-flow.ts';
import type { LineFault } from '../../src/cli/line-fault.ts';
import type { AnyMill } from '../../src/cli/open-mill.ts';
import type { Row } from '../../src/cli/writers/row-format.ts';
import { createTestMillrace } from '../../src/testing.ts';

const recipe = embedRecipe({ field: 'text', fieldOption: '--field', idField: undefined, withText: true, common: {} });

/** Vectors that tell the length of their texts; a text `bad…` fails its task, and `named` says whether the task tells which it was. */
function mill({ named, code = 'PROCESSOR_FAILED' }: { named: boolean; code?: 'PROCESSOR_FAILED' | 'LANE_FAILED' }) {
  return createTestMillrace({
    handlers: {
      'inference.embed': ({ texts }) => {
        const bad = texts.flatMap((text, index) => (text.startsWith('bad') ? [{ index, code }] : []));
        if (bad.length > 0) throw new MillraceError(code, 'input.texts[0]: it broke', named ? { items: bad } : {});
        return {
          embeddings: texts.map((text) => Float32Array.of(text.length)),
          model: 'test',
          fingerprint: 'f',
          dimensions: 1,
          tokens: texts.map(() => 1),
          truncated: texts.map(() => false),
        };
      },
    },
  });
}

function part(texts: readonly string[]): Part<string> {
  const records = texts.map((item, index) => ({ index, line: index + 1, id: undefined, read: { item } }));
  return { records, items: texts, end: 0, digest: '' };
}

function badPart(count: number): Part<string> {
  const read = { code: 'INVALID_INPUT', message: 'bad line' };
  return {
    records: Array.from({ length: count }, (_, index) => ({ index, line: index + 1, id: undefined, read })),
    items: [],
    end: 0,
    digest: '',
  };
}

/** What became of some parts, in the order in which they were settled: the first number of a vector, or the code of a fault. */
async function settled(client: ReturnType<typeof mill>, parts: readonly Part<string>[]) {
  const found: (number | string | undefined)[][] = [];
  const flow = new TaskFlow({
    mill: client as unknown as AnyMill,
    recipe,
    parts: (async function* () {
      yield* parts;
    })(),
    options: { inFlight: 4, attempts: 1 },
    settle: async (one: Part<string>, rows: readonly (Row | LineFault)[]) => {
      found.push(
        one.items.length === 0 ? ['bad part'] : rows.map((row) => ('code' in row ? row.code : row.vector?.[0])),
      );
    },
  });
  await flow.run();
  return found;
}

const texts = ['a', 'bb', 'bad one', 'dddd', 'eeeee', 'bad two', 'ggggggg'];
const expected = [1, 2, 'PROCESSOR_FAILED', 4, 5, 'PROCESSOR_FAILED', 7];

describe('A bad item', () => {
  it('that its task names fails alone: the others go again without it', async () => {
    const client = mill({ named: true });
    expect(await settled(client, [part(texts)])).toEqual([expected]);
    expect(client.control.tasks).toHaveLength(2);
    await client.close();
  });

  it('that nobody names is found by halves', async () => {
    const client = mill({ named: false });
    expect(await settled(client, [part(texts), part(['a']), part(['bad'])])).toEqual([
      expected,
      [1],
      ['PROCESSOR_FAILED'],
    ]);
    await client.close();
  });

  it('is no item when the fault is of all: then the run ends with it', async () => {
    const client = mill({ named: false, code: 'LANE_FAILED' });
    await expect(settled(client, [part(['bad'])])).rejects.toMatchObject({ code: 'LANE_FAILED' });
    await client.close();
  });
});

describe('Parts without an item', () => {
  it('keep their place, however many there are and wherever they stand', async () => {
    const client = mill({ named: true });
    const parts = [badPart(2), ...Array.from({ length: 40 }, () => badPart(1)), part(['a']), badPart(1), part(['bb'])];
    parts.push(...Array.from({ length: 40 }, () => badPart(1)));
    const found = await settled(client, parts);
    const bad = (count: number) => Array(count).fill(['bad part']);
    expect(found).toEqual([...bad(41), [1], ...bad(1), [2], ...bad(40)]);
    await client.close();
  });
});
