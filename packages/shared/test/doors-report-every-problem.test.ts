import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../src/errors.ts';
import { createCatalog } from '../src/tasks/catalog.ts';
import { parseJob, parseTask } from '../src/tasks/parse.ts';

const door = { catalog: createCatalog() };
const good = { type: 'inference.embed', input: { texts: ['a'] } };

function refusal(submitted: unknown): MillraceError {
  try {
    parseTask(door, submitted);
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function paths(submitted: unknown): string[] {
  return refusal(submitted).problems.map(({ path }) => path);
}

describe("The producer's door", () => {
  it('lets a good task through, with what was not said left to the defaults', () => {
    expect(parseTask(door, { ...good, priority: 'high', tags: ['x'] })).toMatchObject({
      taskType: { type: 'inference.embed' },
      input: { texts: ['a'] },
      options: { priority: 'high', tags: ['x'] },
    });
  });

  it('reports everything at once: where, what was there, what should be, what to do', () => {
    const { code, problems } = refusal({
      type: 'inference.embed',
      input: { texts: ['a', 7, ''], normalise: true },
      priority: 'urgent',
      attempts: 0,
      colour: 'red',
    });
    expect(code).toBe('INVALID_INPUT');
    expect(problems).toEqual([
      expect.objectContaining({ path: 'priority', got: '"urgent"' }),
      { path: 'attempts', got: '0', expected: 'at least 1', remedy: 'Change it to at least 1.' },
      expect.objectContaining({ path: 'colour', expected: 'no such field' }),
      expect.objectContaining({ path: 'input.texts[1]', got: '7', expected: 'a string' }),
      expect.objectContaining({ path: 'input.texts[2]', got: '""', expected: 'a text that is not empty' }),
      expect.objectContaining({ path: 'input.normalise', got: 'true' }),
    ]);
  });

  it.each([0, -1, 1.5, 2 ** 21, 'NaN', null])('refuses the priority %s', (priority) => {
    expect(paths({ ...good, priority })).toEqual(['priority']);
  });

  it('names the types that exist when one does not', () => {
    const error = refusal({ type: 'inference.embedd', input: {} });
    expect(error.code).toBe('UNSUPPORTED_TASK_TYPE');
    expect(error.message).toMatch(/inference\.embed, .*text\.clean/);
  });

  it('refuses too many items and too many bytes, and says how many', () => {
    const many = refusal({ type: 'inference.embed', input: { texts: new Array(257).fill('a') } });
    expect([many.code, many.problems[0]?.got]).toEqual(['INPUT_TOO_LARGE', '257 items']);
    const large = refusal({ type: 'inference.embed', input: { texts: ['a'.repeat(10_000_000)] } });
    expect(large.code).toBe('INPUT_TOO_LARGE');
    expect(large.message).toContain('at most 1048576 bytes');
  });

  it('takes the limits of the settings instead', () => {
    const limits = new Map([['inference.embed', { items: 1, bytes: 1000 }]]);
    const two = { type: 'inference.embed', input: { texts: ['a', 'b'] } };
    expect(() => parseTask({ ...door, limits }, two)).toThrow('2 items');
  });

  it('never repeats a payload in what it says', () => {
    const secret = 'x'.repeat(500);
    const { message, problems } = refusal({ type: 'inference.embed', input: { texts: secret } });
    expect(message + JSON.stringify(problems)).not.toContain('xxxxxxxxxx');
  });

  it('answers anything at all with a task or an error of its own', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: false });
    fc.assert(
      fc.property(anything, anything, (input, option) => {
        for (const submitted of [input, { ...good, input }, { ...good, priority: option, backoff: option }]) {
          try {
            parseTask(door, submitted);
          } catch (error) {
            if (!(error instanceof MillraceError)) return false;
          }
        }
        return true;
      }),
    );
  });
});

describe("The worker's door", () => {
  it('takes the data of any producer, and no field that it does not know', () => {
    expect(parseJob(door, 'inference.embed', { v: 1, input: { texts: ['a'] } }).data.v).toBe(1);
    expect(() => parseJob(door, 'inference.embed', { v: 1, input: { texts: ['a'] }, extra: 1 })).toThrow('extra');
    expect(() => parseJob(door, 'inference.embed', 'nonsense')).toThrow(MillraceError);
    expect(() => parseJob(door, 'nonsense', {})).toThrow('There is no task type "nonsense"');
  });
});
