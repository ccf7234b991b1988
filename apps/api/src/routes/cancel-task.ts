import { endedStates } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';
import { taskSchema } from '../task-schemas.ts';

/** POST /v1/tasks/{id}/cancel: ends a task, whether it waits or runs. */
export function cancelTaskRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/tasks/:id/cancel',
    config: { scope: 'enqueue' },
    schema: {
      tags: ['tasks'],
      operationId: 'cancelTask',
      summary: 'Cancel a task',
      description:
        'Answers 200 when it has ended, 202 when its worker takes longer than two seconds to stop it; it ends all the same. A run of a schedule is left out, the schedule goes on.',
      params: z.object({ id: z.string() }),
      response: {
        200: taskSchema,
        202: taskSchema,
        ...problemResponses('TASK_NOT_FOUND', 'TASK_ENDED', 'TASK_HAS_PARENT', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      request.taskId = id;
      const view = await mill.steering.cancel(id);
      return reply.code(endedStates.includes(view.state) ? 200 : 202).send(view);
    },
  });
}
