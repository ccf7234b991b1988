import { queueReportSchema, readQueueReports } from '@millrace/shared/redis/queue-report';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

/** GET /v1/queues: how each family stands. */
export function queuesRoute(app: ApiServer, { mill, drainTargetMs }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/queues',
    schema: {
      tags: ['operation'],
      operationId: 'listQueues',
      summary: 'How the queue of each family stands',
      response: { 200: z.object({ queues: z.array(queueReportSchema) }), ...problemResponses('REDIS_UNAVAILABLE') },
    },
    handler: async () => ({ queues: await readQueueReports(mill, drainTargetMs) }),
  });
}
