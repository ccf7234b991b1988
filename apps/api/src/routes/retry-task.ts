import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';
import { taskSchema } from '../task-schemas.ts';

/** POST /v1/tasks/{id}/retry: a task that failed, expired or was cancelled waits again. */
export function retryTaskRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/tasks/:id/retry',
    config: { scope: 'enqueue' },
    schema: {
      tags: ['tasks'],
      operationId: 'retryTask',
      summary: 'Try an ended task again',
      description: 'For a task that failed, expired or was cancelled. Its attempts count from the first again.',
      params: z.object({ id: z.string() }),
      response: {
        200: taskSchema,
        ...problemResponses('TASK_NOT_FOUND', 'TASK_NOT_FAILED', 'RESULT_EXPIRED', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request) => {
      const { id } = request.params;
      request.taskId = id;
      return await mill.retrying.retry(id);
    },
  });
}
