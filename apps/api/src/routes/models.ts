import { MillraceError } from '@millrace/shared/errors';
import { withRedis } from '@millrace/shared/redis/connection';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { openAiErrors } from '../openai/answer-errors.ts';
import type { ApiServer } from '../server.ts';

const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int().meta({ description: 'Since when a worker that lives has it; seconds since 1970.' }),
    owned_by: z.string(),
  })
  .meta({ id: 'Model' });
type Model = z.infer<typeof modelSchema>;

/** GET /v1/models: the models of the workers that live, in OpenAI's shape. */
export function modelRoutes(app: ApiServer, { mill }: ApiDeps): void {
  const models = async (): Promise<Model[]> => {
    const since = new Map<string, number>();
    for (const { models: own, startedAt } of await withRedis(() => mill.workers.list())) {
      const created = Math.floor(Date.parse(startedAt) / 1000);
      for (const { name } of own) since.set(name, Math.min(created, since.get(name) ?? created));
    }
    const names = [...since.keys()].sort();
    return names.map((id) => ({ id, object: 'model', created: since.get(id) ?? 0, owned_by: 'millrace' }));
  };
  app.route({
    method: 'GET',
    url: '/v1/models',
    schema: {
      tags: ['openai'],
      operationId: 'listModels',
      summary: 'The models of the workers that live',
      response: {
        200: z.object({ object: z.literal('list'), data: z.array(modelSchema) }),
        ...openAiErrors('REDIS_UNAVAILABLE'),
      },
    },
    handler: async () => ({ object: 'list' as const, data: await models() }),
  });
  app.route({
    method: 'GET',
    url: '/v1/models/:model',
    schema: {
      tags: ['openai'],
      operationId: 'readModel',
      summary: 'One of them',
      params: z.object({ model: z.string() }),
      response: { 200: modelSchema, ...openAiErrors('MODEL_NOT_AVAILABLE', 'REDIS_UNAVAILABLE') },
    },
    handler: async ({ params: { model } }) => {
      const found = (await models()).find(({ id }) => id === model);
      if (found !== undefined) return found;
      throw new MillraceError('MODEL_NOT_AVAILABLE', `No worker has the model ${JSON.stringify(model.slice(0, 200))}.`);
    },
  });
}
