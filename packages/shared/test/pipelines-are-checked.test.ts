import { describe, expect, it } from 'vitest';
import { MillraceError } from '../src/errors.ts';
import { createCatalog } from '../src/tasks/catalog.ts';
import { pipeline } from '../src/tasks/inference/pipeline.ts';
import type { PipelineTask } from '../src/tasks/inference/pipeline-variants.ts';
import { parseTask } from '../src/tasks/parse.ts';

const door = { catalog: createCatalog() };

function problems(input: unknown) {
  try {
    parseTask(door, { type: 'inference.pipeline', input });
  } catch (error) {
    if (error instanceof MillraceError) return error.problems;
    throw error;
  }
  throw new Error('it was accepted');
}

function paths(input: unknown): string[] {
  return problems(input).map(({ path }) => path);
}

const model = 'org/name';

describe('A task for a pipeline', () => {
  it.each<PipelineTask>([
    { pipeline: 'sentiment-analysis', model, inputs: ['a'], options: { top_k: null } },
    { pipeline: 'ner', model, inputs: ['a'], options: { aggregation_strategy: 'simple', ignore_labels: [] } },
    { pipeline: 'fill-mask', model, inputs: ['a [MASK]'], options: { top_k: 3 } },
    { pipeline: 'question-answering', model, inputs: [{ question: 'who', context: 'anna' }] },
    { pipeline: 'zero-shot-classification', model, inputs: ['a'], options: { candidate_labels: ['b', 'c'] } },
    { pipeline: 'feature-extraction', model, inputs: ['a'], options: { pooling: 'mean', normalize: true } },
    { pipeline: 'summarization', model, inputs: ['a'], options: { max_new_tokens: 20 } },
    { pipeline: 'translation', model, inputs: ['a'], options: { src_lang: 'eng_Latn', tgt_lang: 'deu_Latn' } },
    { pipeline: 'text2text-generation', model, inputs: ['a'] },
    { pipeline: 'text-generation', model, inputs: ['a', [{ role: 'user', content: 'b' }]] },
  ])('is accepted for $pipeline', (input) => {
    expect(parseTask(door, { type: 'inference.pipeline', input }).input).toEqual(input);
  });

  it('is told which pipelines there are', () => {
    const [problem] = problems({ pipeline: 'image-classification', model, inputs: ['a'] });
    expect(problem).toMatchObject({ path: 'input.pipeline', got: '"image-classification"' });
    expect(problem?.expected).toMatch(/^one of text-classification, .*zero-shot-classification.*, text-generation$/);
    expect(paths({ model, inputs: ['a'] })).toEqual(['input.pipeline']);
  });

  it('is told every problem at once, each by its place', () => {
    expect(paths({ pipeline: 'fill-mask', inputs: ['a', 7, ''], options: { top_k: 0, topk: 1 } }).sort()).toEqual([
      'input.inputs[1]',
      'input.inputs[2]',
      'input.model',
      'input.options.top_k',
      'input.options.topk',
    ]);
    expect(paths({ pipeline: 'question-answering', model, inputs: ['a', { question: 'b' }] })).toEqual([
      'input.inputs[0]',
      'input.inputs[1].context',
    ]);
    expect(paths({ pipeline: 'zero-shot-classification', model, inputs: ['a'] })).toEqual(['input.options']);
  });

  it.each([
    { model: '../models/x' },
    { model: '/etc/passwd' },
    { model: 'https://example.com/x' },
    { options: { streamer: 'x' } },
    { options: { chat_template: '{{ x }}' } },
    { options: { max_new_tokens: 1_000_000 } },
    { options: { num_return_sequences: 1000 } },
  ])('may not name a path, an address or what else reaches too far: %j', (part) => {
    expect(paths({ pipeline: 'text-generation', model, inputs: ['a'], ...part })).toHaveLength(1);
  });
});

describe('Vectors of tokens', () => {
  it('are refused when they would fill Redis, and pooled ones are not', () => {
    const inputs = ['the mill turns '.repeat(400), 'the mill turns '.repeat(400)];
    const task = { pipeline: 'feature-extraction', model, inputs };
    expect(paths(task)).toEqual(['input.inputs']);
    const pooled = { ...task, options: { pooling: 'mean' } };
    expect(() => parseTask(door, { type: 'inference.pipeline', input: pooled })).not.toThrow();
  });
});

describe('The items of a pipeline', () => {
  const one = (task: PipelineTask) => {
    const [item] = pipeline.items(task);
    if (item === undefined) throw new Error('it has no item');
    return item;
  };
  const classified = (options: { top_k?: number | null }, name: 'text-classification' | 'sentiment-analysis') =>
    one({ pipeline: name, model, inputs: ['a'], options });

  it('share calls with those of the same pipeline, model and options alone', () => {
    const key = (item: ReturnType<typeof one>) => pipeline.batchKey(item);
    const generated = (options: Record<string, unknown>) =>
      key(one({ pipeline: 'text-generation', model, inputs: ['a'], options }));
    expect(generated({ do_sample: false, top_k: 2 })).toBe(generated({ top_k: 2, do_sample: false }));
    expect(generated({ top_k: 2 })).not.toBe(generated({ top_k: 3 }));
    expect(key(classified({}, 'text-classification'))).toBe(key(classified({}, 'sentiment-analysis')));
    expect(key(classified({}, 'text-classification'))).not.toBe(
      key(one({ pipeline: 'text-classification', model: 'other', inputs: ['a'] })),
    );
  });

  it('cost what they read, and for each token that they may write', () => {
    const text = 'the mill turns as long as the water runs';
    const read = pipeline.cost(one({ pipeline: 'text-classification', model, inputs: [text] }));
    const cost = (options: { max_new_tokens?: number }) =>
      pipeline.cost(one({ pipeline: 'text-generation', model, inputs: [text], options }));
    expect(cost({ max_new_tokens: 20 })).toBe(read + 20 * 20);
    expect(cost({})).toBe(read + 20 * 256);
    const labels = { candidate_labels: ['a', 'b', 'c'] };
    expect(
      pipeline.cost(one({ pipeline: 'zero-shot-classification', model, inputs: [text], options: labels })),
    ).toBeGreaterThan(3 * read);
  });

  it('are the same only when nothing is drawn by chance', () => {
    const identity = (task: PipelineTask) => pipeline.identity(one(task));
    const sure = { do_sample: false };
    expect(identity({ pipeline: 'fill-mask', model, inputs: ['a'] })).toBe(
      identity({ pipeline: 'fill-mask', model, inputs: ['a'] }),
    );
    expect(identity({ pipeline: 'fill-mask', model, inputs: ['a'] })).not.toBe(
      identity({ pipeline: 'fill-mask', model, inputs: ['b'] }),
    );
    expect(identity({ pipeline: 'text-generation', model, inputs: ['a'] })).toBeUndefined();
    expect(identity({ pipeline: 'text-generation', model, inputs: ['a'], options: sure })).toBeDefined();
  });
});
