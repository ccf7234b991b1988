import type { EmbeddingModelV3, EmbeddingModelV3CallOptions } from '@ai-sdk/provider';
import type { Millrace } from '@millrace/client';
import { millraceEmbedding } from '@millrace/client/ai-sdk';
import { createTestMillrace } from '@millrace/client/testing';
import { MillraceError } from '@millrace/shared/errors';
import { defineTaskType } from '@millrace/shared/tasks/define-task-type';
import { APICallError, cosineSimilarity, embed, embedMany } from 'ai';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `number ${index}`);

/** What a call rejects with, as the AI SDK gives it when it does not try again. */
async function errorOf(model: EmbeddingModelV3, values: string[], abortSignal?: AbortSignal): Promise<unknown> {
  const call = embedMany({ model, values, maxRetries: 0, ...(abortSignal && { abortSignal }) });
  return await call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Never run: the compiler alone is to read it. A client with task types of its own is a client. */
function typedUse(mill: Millrace<readonly [typeof wordCount]>): EmbeddingModelV3 {
  return millraceEmbedding(mill);
}
const wordCount = defineTaskType({
  type: 'text.word-count',
  family: 'text',
  description: 'How many words texts have.',
  input: z.strictObject({ texts: z.array(z.string()).min(1) }),
  output: z.object({ counts: z.array(z.int()) }),
  example: { texts: ['The wheel turns.'] },
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('The embedding model of the AI SDK', () => {
  it('takes any client', () => expect(typedUse).toBeTypeOf('function'));

  it('gives one vector for a value, and its tokens', async () => {
    const mill = createTestMillrace();
    const model = millraceEmbedding(mill, { purpose: 'query', priority: 'high' });
    const near = await embed({ model, value: 'the wheel turns' });
    const nearer = await embed({ model, value: 'the wheel turns slowly' });
    const far = await embed({ model, value: 'a quiet night' });
    expect(cosineSimilarity(near.embedding, nearer.embedding)).toBeGreaterThan(
      cosineSimilarity(near.embedding, far.embedding),
    );
    expect(near.usage.tokens).toBe(5);
    expect(near.providerMetadata).toEqual({ millrace: { fingerprint: 'test-all-MiniLM-L6-v2', dimensions: 384 } });
    expect(mill.control.tasks[0]).toMatchObject({
      input: { texts: ['the wheel turns'], purpose: 'query' },
      options: { priority: 'high' },
    });
  });

  it('gives the vectors of many values in order, 64 a task, and the tokens of all', async () => {
    const mill = createTestMillrace();
    const values = numbers(150);
    const { embeddings, usage } = await embedMany({ model: millraceEmbedding(mill), values });
    expect(embeddings).toEqual((await mill.embed(values)).map((vector) => [...vector]));
    expect(usage.tokens).toBe(150 * 4);
    expect(mill.control.tasks.slice(0, 3).map(({ input }) => (input as { texts: string[] }).texts.length)).toEqual([
      64, 64, 22,
    ]);
  });

  it('cuts a call into tasks where texts are long', async () => {
    const mill = createTestMillrace();
    const values = ['a', 'b', 'c'].map((letter) => letter.repeat(150_000));
    const { embeddings } = await embedMany({ model: millraceEmbedding(mill), values });
    expect(embeddings).toHaveLength(3);
    expect(mill.control.tasks).toHaveLength(3);
  });

  it('is named by its model, which the tasks have', async () => {
    const mill = createTestMillrace();
    const model = millraceEmbedding(mill, { model: 'org/other', maxEmbeddingsPerCall: 2 });
    await embedMany({ model, values: numbers(3) });
    expect(model).toMatchObject({ provider: 'millrace', modelId: 'org/other', maxEmbeddingsPerCall: 2 });
    expect(mill.control.tasks.map(({ input }) => input)).toEqual([
      { model: 'org/other', texts: ['number 0', 'number 1'] },
      { model: 'org/other', texts: ['number 2'] },
    ]);
  });

  it('cancels the tasks when the signal is aborted, and rejects with its reason', async () => {
    const mill = createTestMillrace();
    mill.control.hold('inference.embed');
    const controller = new AbortController();
    const reason = new DOMException('The reader left.', 'AbortError');
    const error = errorOf(millraceEmbedding(mill, { maxEmbeddingsPerCall: 100 }), numbers(100), controller.signal);
    await vi.waitUntil(() => mill.control.tasks.length === 2);
    controller.abort(reason);
    expect(await error).toBe(reason);
    await vi.waitUntil(() => mill.control.tasks.every(({ state }) => state === 'cancelled'));
  });

  it('says which value was wrong, and cancels the tasks of the others', async () => {
    const mill = createTestMillrace();
    mill.control.hold('inference.embed');
    const values = numbers(80).with(70, ' ');
    const error = await errorOf(millraceEmbedding(mill, { maxEmbeddingsPerCall: 100 }), values);
    expect(error).toBeInstanceOf(APICallError);
    expect(error).toMatchObject({ statusCode: 422, isRetryable: false, message: /input\.texts\[70\]/ });
    expect((error as APICallError).cause).toBeInstanceOf(MillraceError);
    expect((error as APICallError).data).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: 'input.texts[70]' }],
    });
    await vi.waitUntil(() => mill.control.tasks[0]?.state === 'cancelled');
  });

  it('has the AI SDK try again what the mill could not take', async () => {
    const mill = createTestMillrace();
    const model = millraceEmbedding(mill, { waitForRoomMs: 0 });
    mill.control.full = true;
    const doEmbed = vi.fn(async (call: EmbeddingModelV3CallOptions) => {
      try {
        return await model.doEmbed(call);
      } finally {
        mill.control.full = false;
      }
    });
    const { embedding } = await embed({ model: { ...model, doEmbed }, value: 'a' });
    expect(embedding).toHaveLength(384);
    expect(doEmbed).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['REDIS_UNAVAILABLE', true, 503],
    ['POISONED', false, 500],
    // Tried again by Millrace already.
    ['TASK_TIMEOUT', false, 504],
  ] as const)('maps %s', async (code, isRetryable, statusCode) => {
    const mill = createTestMillrace();
    if (code === 'REDIS_UNAVAILABLE') mill.control.away = true;
    else mill.control.failNext('inference.embed', code, 3);
    const error = await errorOf(millraceEmbedding(mill), ['a']);
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ isRetryable, statusCode, data: { code } });
  });

  it('warns of texts that were cut', async () => {
    const warned = vi.fn();
    vi.stubGlobal('AI_SDK_LOG_WARNINGS', warned);
    const output = { model: 'm', fingerprint: 'f', dimensions: 2 };
    const mill = createTestMillrace({
      handlers: {
        'inference.embed': ({ texts }) => ({
          ...output,
          embeddings: texts.map(() => Float32Array.of(0, 1)),
          tokens: texts.map(() => 300),
          truncated: texts.map((text) => text === 'long'),
        }),
      },
    });
    const { warnings } = await embedMany({ model: millraceEmbedding(mill), values: ['long', 'short'] });
    expect(warnings).toEqual([{ type: 'other', message: expect.stringMatching(/^1 of 2 texts/) }]);
    expect(warned).toHaveBeenCalledOnce();
  });
});
