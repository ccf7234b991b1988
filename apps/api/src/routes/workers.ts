import { withRedis } from '@millrace/shared/redis/connection';
import { workerSchema } from '@millrace/shared/redis/workers';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const workersSchema = z.object({
  workers: z.array(workerSchema.meta({ id: 'Worker', description: 'A worker, by its last heartbeat.' })),
});

/** GET /v1/workers: who is alive, and what each is doing. */
export function workersRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/workers',
    schema: {
      tags: ['operation'],
      operationId: 'listWorkers',
      summary: 'The workers that live, and what each is doing',
      response: { 200: workersSchema, ...problemResponses('REDIS_UNAVAILABLE') },
    },
    handler: async (): Promise<z.infer<typeof workersSchema>> => ({
      workers: await withRedis(() => mill.workers.list()),
    }),
  });
}
