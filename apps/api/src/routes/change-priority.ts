import { taskOptionsSchema } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';
import { taskSchema } from '../task-schemas.ts';

/** POST /v1/tasks/{id}/priority: moves a waiting task. */
export function changePriorityRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/tasks/:id/priority',
    config: { scope: 'enqueue' },
    schema: {
      tags: ['tasks'],
      operationId: 'changePriority',
      summary: 'Give a waiting task another priority',
      description: 'It goes behind those that have this priority already.',
      params: z.object({ id: z.string() }),
      body: z.strictObject({ priority: taskOptionsSchema.shape.priority.unwrap() }),
      response: {
        200: taskSchema,
        ...problemResponses(
          'INVALID_JSON',
          'INVALID_REQUEST',
          'TASK_NOT_FOUND',
          'TASK_NOT_WAITING',
          'REDIS_UNAVAILABLE',
        ),
      },
    },
    handler: async (request) => {
      const { id } = request.params;
      request.taskId = id;
      return await mill.steering.changePriority(id, request.body.priority);
    },
  });
}
