import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { listOf, openAiErrors } from '../openai/answer-errors.ts';
import { batchRequestSchema } from '../runs/batch-request.ts';
import { batchOf, batchSchema } from '../runs/batch-view.ts';
import type { ApiServer } from '../server.ts';

const params = z.object({ id: z.string() });
const mostListed = 100;
const missing = openAiErrors('RUN_NOT_FOUND', 'REDIS_UNAVAILABLE');

/** /v1/batches: runs over a corpus, in the shape of OpenAI's batches. */
export function batchRoutes(app: ApiServer, deps: ApiDeps): void {
  createRoute(app, deps);
  readRoutes(app, deps);
  app.route({
    method: 'POST',
    url: '/v1/batches/:id/cancel',
    config: { scope: 'enqueue' },
    schema: {
      tags: ['openai'],
      operationId: 'cancelBatch',
      summary: 'Cancel a run',
      description: 'What is under way is cancelled; what has ended by then is in the output file.',
      params,
      response: { 200: batchSchema, ...missing, ...openAiErrors('RUN_ENDED') },
    },
    handler: async ({ params: { id } }) => batchOf(await deps.batches.cancel(id)),
  });
}

function createRoute(app: ApiServer, { batches }: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/batches',
    config: { scope: 'enqueue' },
    schema: {
      tags: ['openai'],
      operationId: 'createBatch',
      summary: 'Run the requests of a file',
      description:
        'Each line of the file is `{custom_id, method: "POST", url, body}`. The answers come in the order of the lines, as an output and an error file.',
      body: batchRequestSchema,
      response: {
        200: batchSchema,
        ...openAiErrors('INVALID_JSON', 'INVALID_REQUEST', 'WEBHOOKS_OFF', 'FILE_NOT_FOUND', 'BODY_TOO_LARGE'),
        ...openAiErrors('UNSUPPORTED_MEDIA_TYPE', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async ({ body }) => batchOf(await batches.create(body)),
  });
}

function readRoutes(app: ApiServer, { batches }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/batches',
    schema: {
      tags: ['openai'],
      operationId: 'listBatches',
      summary: 'List runs, newest first',
      querystring: z.strictObject({
        after: z.string().optional().meta({ description: 'The id of the last run of the page before.' }),
        limit: z.coerce.number().int().min(1).max(mostListed).default(20),
      }),
      response: {
        200: z.object({
          object: z.literal('list'),
          data: z.array(batchSchema),
          first_id: z.string().nullable(),
          last_id: z.string().nullable(),
          has_more: z.boolean(),
        }),
        ...openAiErrors('INVALID_REQUEST', 'RUN_NOT_FOUND', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async ({ query: { after, limit } }) => {
      const found = await batches.list({ after, count: limit + 1 });
      return listOf(found.slice(0, limit).map(batchOf), found.length > limit);
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/batches/:id',
    schema: {
      tags: ['openai'],
      operationId: 'readBatch',
      summary: 'How a run stands',
      params,
      response: { 200: batchSchema, ...missing },
    },
    handler: async ({ params: { id } }) => batchOf(await batches.get(id)),
  });
}
