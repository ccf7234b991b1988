import { classify } from '@millrace/shared/tasks/inference/classify';
import { describe, expect, it } from 'vitest';
import { classifyProcessor } from '../src/inference/classify.ts';
import { bundledDir, modelsOf, refusal, taskRunner } from './inference-calls.ts';

const { parse, outcomesOf } = taskRunner(
  classify,
  classifyProcessor({ models: modelsOf(bundledDir), passTokens: 512 }),
);
const texts = ['A text.'];

function problems(input: object): string[] {
  return refusal(() => parse({ texts, ...input }));
}

describe('inference.classify refuses', () => {
  it('no labels, an empty list of them, and one alone', () => {
    const [missing = ''] = problems({});
    expect(missing).toMatch(/^input\.labels: a list of at least 2 labels/);
    expect(problems({ labels: [] })).toEqual(['input.labels: at least 2 entries']);
    expect(problems({ labels: ['one'] })).toEqual(['input.labels: at least 2 entries']);
  });

  it('names that are empty, or that two labels have', () => {
    expect(problems({ labels: ['a', ' '] })).toEqual(['input.labels[1]: a name that is not empty']);
    expect(problems({ labels: ['a', 'b', 'a ', { name: 'b', examples: ['x'] }] })).toEqual([
      'input.labels[2]: a name that no other label has',
      'input.labels[3].name: a name that no other label has',
    ]);
    expect(problems({ labels: ['a', 'n'.repeat(257)] })).toEqual(['input.labels[1]: at most 256 characters']);
  });

  it('a label without an example, an empty example, and too many of them', () => {
    const withExamples = (examples: string[]) => ({ labels: ['a', { name: 'b', examples }] });
    expect(problems(withExamples([]))).toEqual(['input.labels[1].examples: at least 1 entry']);
    expect(problems(withExamples(['x', '\n']))).toEqual(['input.labels[1].examples[1]: a text that is not empty']);
    expect(problems(withExamples(Array(120).fill('water '.repeat(300))))).toEqual([]);
    const [tooMany = ''] = problems(withExamples(Array(130).fill('water '.repeat(300))));
    expect(tooMany).toMatch(/^input\.labels: names and examples of at most 32768 tokens in all/);
  });

  it('empty texts, each with its place, and no texts at all', () => {
    expect(problems({ texts: ['a', '', ' \u2003'], labels: ['a', 'b'] })).toEqual([
      'input.texts[1]: a text that is not empty',
      'input.texts[2]: a text that is not empty',
    ]);
    expect(problems({ texts: [], labels: ['a', 'b'] })).toEqual(['input.texts: at least 1 entry']);
  });

  it('more than 256 texts, and more than 1 MiB', () => {
    const code = (input: object) => {
      try {
        return parse({ texts, labels: ['a', 'b'], ...input });
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code({ texts: Array(257).fill('x') })).toBe('INPUT_TOO_LARGE');
    expect(code({ texts: ['x'.repeat(2 ** 20)] })).toBe('INPUT_TOO_LARGE');
    expect(code({ texts: Array(256).fill('x') })).toMatchObject({ texts: Array(256).fill('x') });
  });

  it('a model that is not there, with MODEL_NOT_AVAILABLE for each text', async () => {
    const outcomes = await outcomesOf({ texts: ['a', 'b'], labels: ['c', 'd'], model: 'org/none' });
    expect(outcomes).toEqual(Array(2).fill(expect.objectContaining({ ok: false, code: 'MODEL_NOT_AVAILABLE' })));
  });
});
