import { pipeline } from '@millrace/shared/tasks/inference/pipeline';
import type { PipelineTask } from '@millrace/shared/tasks/inference/pipeline-variants';
import { describe, expect, it } from 'vitest';
import { pipelineRunner } from './run-pipeline.ts';

const { run } = pipelineRunner();
const score = expect.any(Number);

/** Each with what it gives for each input. */
const tasks: readonly (readonly [PipelineTask, readonly unknown[]])[] = [
  [
    {
      pipeline: 'text-classification',
      model: 'tiny-text-classifier',
      inputs: ['A good mill', 'the bread is terrible', 'the wheel'],
    },
    [
      { label: 'POSITIVE', score },
      { label: 'NEGATIVE', score },
      { label: 'NEUTRAL', score },
    ],
  ],
  [
    {
      pipeline: 'sentiment-analysis',
      model: 'tiny-text-classifier',
      inputs: ['A good mill'],
      options: { top_k: null },
    },
    [
      [
        { label: 'POSITIVE', score },
        { label: 'NEUTRAL', score },
        { label: 'NEGATIVE', score },
      ],
    ],
  ],
  [
    {
      pipeline: 'text-classification',
      model: 'tiny-multilabel',
      inputs: ['why is it broken?', 'great'],
      options: { top_k: 2 },
    },
    [
      [
        { label: 'question', score },
        { label: 'complaint', score },
      ],
      [{ label: 'praise', score }, expect.anything()],
    ],
  ],
  [
    {
      pipeline: 'token-classification',
      model: 'tiny-token-classifier',
      inputs: ['Anna Smith lives in New York', 'nobody', 'Clara'],
      options: { aggregation_strategy: 'simple' },
    },
    [
      [
        { entity_group: 'PER', word: 'anna smith', score },
        { entity_group: 'LOC', word: 'new york', score },
      ],
      [],
      [{ entity_group: 'PER', word: 'clara', score }],
    ],
  ],
  [
    {
      pipeline: 'fill-mask',
      model: 'tiny-fill-mask',
      inputs: ['The capital of Italy is [MASK].', '[MASK] France'],
      options: { top_k: 1 },
    },
    [
      [{ token_str: 'rome', token: expect.any(Number), sequence: 'the capital of italy is rome.', score }],
      [{ token_str: 'paris', token: expect.any(Number), sequence: 'paris france', score }],
    ],
  ],
  [
    {
      pipeline: 'question-answering',
      model: 'tiny-question-answering',
      inputs: [
        { question: 'Who lives in New York?', context: 'Clara lives in New York' },
        { question: 'Where does Anna live?', context: 'Anna works in New York' },
      ],
    },
    [
      { answer: 'clara', score },
      { answer: 'new york', score },
    ],
  ],
  [
    {
      pipeline: 'zero-shot-classification',
      model: 'tiny-zero-shot',
      inputs: ['the striker and the goal', 'rain and snow'],
      options: { candidate_labels: ['money', 'sport', 'weather'] },
    },
    [
      {
        sequence: 'the striker and the goal',
        labels: ['sport', 'money', 'weather'],
        scores: expect.any(Array),
      },
      { sequence: 'rain and snow', labels: ['weather', 'money', 'sport'], scores: expect.any(Array) },
    ],
  ],
  [
    {
      pipeline: 'feature-extraction',
      model: 'tiny-embedder',
      inputs: ['the mill'],
      options: { pooling: 'cls', normalize: true },
    },
    [expect.arrayContaining(new Array(32).fill(score))],
  ],
  [
    { pipeline: 'text-generation', model: 'tiny-text-generation', inputs: ['the mill', 'once upon'] },
    [
      [{ generated_text: 'the mill turns while water runs' }],
      [{ generated_text: 'once upon a time there lived one miller who made flour for every town.' }],
    ],
  ],
  [
    {
      pipeline: 'text-generation',
      model: 'tiny-text-generation',
      inputs: [[{ role: 'user', content: 'the mill' }], 'the mill'],
      options: { max_new_tokens: 2, return_full_text: false },
    },
    [
      [
        {
          generated_text: [
            { role: 'user', content: 'the mill' },
            { role: 'assistant', content: ' turns while' },
          ],
        },
      ],
      [{ generated_text: ' turns while' }],
    ],
  ],
  [
    { pipeline: 'translation', model: 'tiny-translator', inputs: ['The old mill turns', 'bread'] },
    [{ translation_text: 'die alt muehle dreht' }, { translation_text: 'brot' }],
  ],
  [
    { pipeline: 'summarization', model: 'tiny-translator', inputs: ['bread is good'] },
    [{ summary_text: 'brot ist gut' }],
  ],
  [
    { pipeline: 'text2text-generation', model: 'tiny-translator', inputs: ['water runs'] },
    [{ generated_text: 'wasser laeuft' }],
  ],
];

describe('A pipeline', () => {
  it.each(tasks.map(([task, outputs]) => ({ name: task.pipeline, model: task.model, task, outputs })))(
    'of the kind $name by $model gives what the pipeline gives for each input, and takes no more room than was said',
    async ({ task, outputs }) => {
      const output = await run(task);
      expect(output.outputs).toEqual(outputs);
      expect(output).toMatchObject({ model: task.model, fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/) });
      expect(output.truncated).toEqual(outputs.map(() => false));
      expect(output.tokens.every((tokens) => tokens > 0)).toBe(true);
      const bytes = Buffer.byteLength(JSON.stringify(output));
      expect(pipeline.resultBytes(task, Buffer.byteLength(JSON.stringify(task)))).toBeGreaterThan(bytes);
    },
  );

  it('without pooling gives a vector for each token of the text, none for the padding', async () => {
    const inputs = ['the mill', 'the mill turns while water runs'];
    const { outputs, tokens } = await run({ pipeline: 'feature-extraction', model: 'tiny-embedder', inputs });
    const vectors = outputs as number[][][];
    expect(vectors.map(({ length }) => length)).toEqual(tokens);
    expect(vectors.flat().every((vector) => vector.length === 32 && vector.every(Number.isFinite))).toBe(true);
  });
});
