import { fileURLToPath } from 'node:url';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cosine, ownPrefix } from '../setup/mill.ts';
import { startWorker, stopProcesses } from '../setup/processes.ts';

const redisUrl = inject('redisUrl');
const tinyModels = fileURLToPath(new URL('../models', import.meta.url));
const common = { FAMILIES: 'inference', INFERENCE_LANES: '1' };
afterAll(stopProcesses);

function openMill(prefix: string): Millrace {
  return new Millrace({ redisUrl, prefix });
}

describe('A worker with models of the user alone', () => {
  const prefix = ownPrefix();
  const mill = openMill(prefix);
  beforeAll(async () => {
    await startWorker({ redisUrl, prefix, env: { ...common, MODELS_DIR: tinyModels } });
  });
  afterAll(() => mill.close());

  it('runs one pipeline as it runs another, each with its own model', async () => {
    const classified = await mill.enqueue('inference.pipeline', {
      pipeline: 'text-classification',
      model: 'tiny-text-classifier',
      inputs: ['a good mill', 'a bad one'],
    });
    const written = await mill.enqueue('inference.pipeline', {
      pipeline: 'text-generation',
      model: 'tiny-text-generation',
      inputs: ['once upon', 'the mill'],
      options: { max_new_tokens: 30, do_sample: false },
    });
    const answered = await mill.enqueue('inference.pipeline', {
      pipeline: 'question-answering',
      model: 'tiny-question-answering',
      inputs: [{ question: 'Where does Anna live?', context: 'Anna lives in Paris' }],
    });
    const [labels, stories, answers] = await Promise.all(
      [classified, written, answered].map((task) => task.result({ timeoutMs: 30_000 })),
    );
    expect(labels).toMatchObject({
      outputs: [{ label: 'POSITIVE' }, { label: 'NEGATIVE' }],
      pipeline: 'text-classification',
      model: 'tiny-text-classifier',
      truncated: [false, false],
    });
    expect(stories?.outputs).toEqual([
      [{ generated_text: 'once upon a time there lived one miller who made flour for every town.' }],
      [{ generated_text: 'the mill turns while water runs' }],
    ]);
    expect(answers?.outputs).toMatchObject([{ answer: 'paris' }]);
  });

  it('fails the task of a bad input alone, and names the input', async () => {
    const tasks = await mill.enqueueMany(
      'inference.pipeline',
      ['Italy', 'no country', 'France'].map((text) => ({
        pipeline: 'fill-mask' as const,
        model: 'tiny-fill-mask',
        inputs: [`${text} [MASK]`, text === 'no country' ? 'no mask' : '[MASK]'],
        options: { top_k: 1 },
      })),
    );
    const ends = await Promise.allSettled(tasks.map((task) => task.result({ timeoutMs: 30_000 })));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await tasks[1]?.read())?.error).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'item 1: fill-mask by tiny-fill-mask: the text has no [MASK]',
      items: [{ index: 1, code: 'INVALID_INPUT' }],
    });
  });

  it('has no bundled model, and a task for it is told so', async () => {
    await expect(mill.enqueue('inference.embed', { texts: ['a'] })).rejects.toMatchObject({
      code: 'MODEL_NOT_AVAILABLE',
      message: expect.stringContaining('tiny-embedder'),
    });
  });
});

describe('The bundled model', () => {
  const prefix = ownPrefix();
  const mill = openMill(prefix);
  beforeAll(async () => {
    await startWorker({ redisUrl, prefix, env: common });
  });
  afterAll(() => mill.close());

  it('gives by its pipeline the vectors that inference.embed gives', async () => {
    const texts = ['The wheel turns as long as the water runs.', 'A queue that loses work is worse than none.'];
    const embedded = await mill.enqueue('inference.embed', { texts });
    const extracted = await mill.enqueue('inference.pipeline', {
      pipeline: 'feature-extraction',
      model: 'all-MiniLM-L6-v2',
      inputs: texts,
      options: { pooling: 'mean', normalize: true },
    });
    const { embeddings } = await embedded.result({ timeoutMs: 30_000 });
    const { outputs } = await extracted.result({ timeoutMs: 30_000 });
    texts.forEach((_, index) => {
      expect(cosine(outputs[index] as number[], embeddings[index] ?? [])).toBeGreaterThan(0.999_999);
    });
  });
});
