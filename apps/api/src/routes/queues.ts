import { withRedis } from '@millrace/shared/redis/connection';
import { readQueueFacts } from '@millrace/shared/redis/queue-facts';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import { observedMs, type QueueReport, queueReportSchema, reportOf } from '../queue-report.ts';
import type { ApiServer } from '../server.ts';

/** GET /v1/queues: how each family stands. */
export function queuesRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/queues',
    schema: {
      tags: ['operation'],
      operationId: 'listQueues',
      summary: 'How the queue of each family stands',
      response: { 200: z.object({ queues: z.array(queueReportSchema) }), ...problemResponses('REDIS_UNAVAILABLE') },
    },
    handler: async (): Promise<{ queues: QueueReport[] }> => {
      const now = Date.now();
      const moments = observedMs.map((ms) => now - ms);
      const [beats, facts] = await Promise.all([
        withRedis(() => mill.workers.list()),
        Promise.all(
          [...mill.queues.keys()].map(async (family) => [family, await readQueueFacts(mill, family, moments)] as const),
        ),
      ]);
      const queues = facts.map(([family, seen]) => {
        const workers = beats.filter((beat) => beat.families.includes(family)).length;
        return reportOf({ family, facts: seen, workers, now });
      });
      return { queues };
    },
  });
}
