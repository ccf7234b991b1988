import { families } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const params = z.object({ family: z.enum(families) });
const response = {
  200: z.object({ family: z.enum(families), paused: z.boolean() }),
  ...problemResponses('INVALID_REQUEST', 'REDIS_UNAVAILABLE'),
};

/** POST /v1/queues/{family}/pause and /resume: whether workers may begin tasks of a family. */
export function pauseQueueRoutes(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/queues/:family/pause',
    config: { scope: 'admin' },
    schema: {
      tags: ['operation'],
      operationId: 'pauseQueue',
      summary: 'Let no worker begin a task of a family',
      description: 'What runs goes on, and tasks are accepted as before.',
      params,
      response,
    },
    handler: async ({ params: { family } }) => {
      await mill.steering.pause(family);
      return { family, paused: true };
    },
  });
  app.route({
    method: 'POST',
    url: '/v1/queues/:family/resume',
    config: { scope: 'admin' },
    schema: {
      tags: ['operation'],
      operationId: 'resumeQueue',
      summary: 'Let workers begin tasks of a family again',
      params,
      response,
    },
    handler: async ({ params: { family } }) => {
      await mill.steering.resume(family);
      return { family, paused: false };
    },
  });
}
