import type { PipelineTask } from '@millrace/shared/tasks/inference/pipeline-variants';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pipelineRunner } from './run-pipeline.ts';

const { call, run } = pipelineRunner();

const words = 'good bad the mill turns anna smith lives in paris new york who where bread water ? zebra 7'.split(' ');
const text = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 30 }).map((parts) => parts.join(' '));

/** The same with every number rounded: a pass adds up in another order than a text alone. */
function rounded(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, part) => (typeof part === 'number' ? Number(part.toFixed(5)) : part));
}

/** Tasks that share passes, of any texts. */
const batching: readonly ((texts: string[]) => PipelineTask)[] = [
  (inputs) => ({ pipeline: 'text-classification', model: 'tiny-text-classifier', inputs, options: { top_k: null } }),
  (inputs) => ({ pipeline: 'text-classification', model: 'tiny-multilabel', inputs, options: { top_k: null } }),
  (inputs) => ({ pipeline: 'token-classification', model: 'tiny-token-classifier', inputs }),
  (inputs) => ({ pipeline: 'fill-mask', model: 'tiny-fill-mask', inputs: inputs.map((part) => `${part} [MASK]`) }),
  (inputs) => ({
    pipeline: 'question-answering',
    model: 'tiny-question-answering',
    inputs: inputs.map((context) => ({ question: 'where', context })),
  }),
  ...(['none', 'mean', 'cls', 'last_token'] as const).map(
    (pooling) =>
      (inputs: string[]): PipelineTask => ({
        pipeline: 'feature-extraction',
        model: 'tiny-embedder',
        inputs,
        options: { pooling },
      }),
  ),
];

describe('What a pipeline gives for an input', () => {
  it.each(batching.map((make) => ({ make, name: JSON.stringify(make(['a'])) })))(
    'does not depend on the others in its pass: $name',
    async ({ make }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(text, { minLength: 2, maxLength: 8 }), async (texts) => {
          const together = await run(make(texts));
          const alone = await Promise.all(texts.map((one) => run(make([one]))));
          expect(rounded(together.outputs)).toEqual(rounded(alone.flatMap(({ outputs }) => outputs)));
          expect(together.tokens).toEqual(alone.flatMap(({ tokens }) => tokens));
        }),
        { numRuns: 10 },
      );
    },
  );

  it('ends where it ends alone, although what stands beside it goes on', async () => {
    const inputs = ['once upon', 'the mill turns while water', 'rain'];
    const task = { pipeline: 'text-generation' as const, model: 'tiny-text-generation', inputs };
    const { outputs } = await run(task);
    expect(outputs[1]).toEqual([{ generated_text: 'the mill turns while water runs' }]);
    expect((await call(task)).passes).toBe(3);
  });
});

describe('The passes of a pipeline', () => {
  it('hold several inputs of like lengths', async () => {
    const inputs = Array.from({ length: 24 }, (_, index) => 'good '.repeat(1 + ((index * 7) % 24)));
    const task: PipelineTask = { pipeline: 'text-classification', model: 'tiny-text-classifier', inputs };
    const { outcomes, passes, realTokens, paddedTokens } = await pipelineRunner(undefined, 128).call(task);
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(passes).toBeLessThan(inputs.length / 2);
    expect(paddedTokens).toBeLessThan(1.3 * realTokens);
  });
});
