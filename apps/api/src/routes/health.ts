import type { Mill } from '@millrace/client/mill';
import type { LaneBeat } from '@millrace/shared/redis/workers';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

const readinessSchema = z.object({
  ready: z.boolean(),
  redis: z.enum(['up', 'down']),
  worker: z.object({
    warm: z.boolean().meta({ description: 'Some worker has loaded its models, and computes at once.' }),
    count: z.int().meta({ description: 'Workers that live.' }),
  }),
});
type Readiness = z.infer<typeof readinessSchema>;

/** GET /healthz: the process lives. GET /readyz: it can work, for Redis answers. Open to all, for whoever restarts it has no key. */
export function healthRoutes(app: ApiServer, { mill }: ApiDeps): void {
  const config = { scope: 'none', quiet: true } as const;
  app.route({
    method: 'GET',
    url: '/healthz',
    config,
    schema: {
      tags: ['operation'],
      operationId: 'health',
      summary: 'Whether the process lives',
      security: [],
      response: { 200: z.object({ status: z.literal('ok') }) },
    },
    handler: () => ({ status: 'ok' as const }),
  });
  app.route({
    method: 'GET',
    url: '/readyz',
    config,
    schema: {
      tags: ['operation'],
      operationId: 'readiness',
      summary: 'Whether Redis answers, and whether a worker is warm',
      security: [],
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    handler: async (_request, reply) => {
      const readiness = await readinessOf(mill);
      return reply.code(readiness.ready ? 200 : 503).send(readiness);
    },
  });
}

/** It was warmed as far as there is anything to warm: where the bundled model is not, none is loaded before a task names it. */
function isReady({ family, state }: LaneBeat): boolean {
  return family === 'inference' && (state === 'idle' || state === 'busy');
}

async function readinessOf(mill: Mill): Promise<Readiness> {
  try {
    const workers = await mill.workers.list();
    const warm = workers.some(({ models, lanes }) => models.some((model) => model.warm) || lanes.some(isReady));
    return { ready: true, redis: 'up', worker: { warm, count: workers.length } };
  } catch {
    // Whatever the reason: without an answer from Redis there is nothing to be done here.
    return { ready: false, redis: 'down', worker: { warm: false, count: 0 } };
  }
}
