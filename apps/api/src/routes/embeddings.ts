import { MillraceError } from '@millrace/shared/errors';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { Embedder } from '../embeddings/embedder.ts';
import { embeddingAnswer } from '../embeddings/embedding-answer.ts';
import { embeddingRequestSchema, parseEmbeddingRequest } from '../embeddings/embedding-request.ts';
import { openAiErrors } from '../openai/answer-errors.ts';
import { leaveBody } from '../plugins/schemas.ts';
import { sendJsonText } from '../result/send-json.ts';
import type { ApiServer } from '../server.ts';

const answerSchema = z
  .object({
    object: z.literal('list'),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.int(),
        embedding: z.union([z.array(z.number()), z.string()]),
        truncated: z
          .literal(true)
          .optional()
          .meta({ description: "Not OpenAI's: the text was longer than the model reads, and was cut." }),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ id: 'Embeddings' });

/** POST /v1/embeddings: OpenAI's, for its clients. */
export function embeddingsRoute(app: ApiServer, deps: ApiDeps): void {
  const embedder = new Embedder(deps);
  app.route({
    method: 'POST',
    url: '/v1/embeddings',
    config: { scope: 'enqueue' },
    validatorCompiler: leaveBody,
    schema: {
      tags: ['openai'],
      operationId: 'createEmbeddings',
      summary: 'Embed texts and wait for their vectors',
      description:
        'As with OpenAI. Texts become tasks of inference.embed that share batches with all others; the vectors are the same as theirs.',
      body: embeddingRequestSchema,
      response: {
        200: answerSchema,
        ...openAiErrors('INVALID_JSON', 'INVALID_REQUEST', 'INPUT_TOO_LARGE', 'MODEL_NOT_AVAILABLE'),
        ...openAiErrors('BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'QUEUE_FULL', 'PROCESSOR_FAILED'),
        ...openAiErrors('REDIS_UNAVAILABLE', 'NO_WORKER', 'WAIT_TIMEOUT'),
      },
    },
    handler: async ({ body }, reply) => {
      const request = parseEmbeddingRequest(body);
      const stay = deps.waits.streaming(reply.raw);
      try {
        const texts = await embedder.embed(request, stay.signal);
        return sendJsonText(reply, await embeddingAnswer(request, texts));
      } catch (error) {
        if (!stay.signal.aborted) throw error;
        if (reply.raw.destroyed) return reply.hijack();
        throw new MillraceError('CLOSED', 'The API closes; send the request again.', { retryAfterMs: 1000 });
      } finally {
        stay.stop();
      }
    },
  });
}
