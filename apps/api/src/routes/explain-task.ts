import { explanationSchema } from '@millrace/shared/tasks/explanation';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const answerSchema = explanationSchema.meta({
  id: 'Explanation',
  description: 'Why a task is where it is, in words and in facts.',
});

/** GET /v1/tasks/{id}/explain: why a task waits, who has it, how it ended. */
export function explainTaskRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/tasks/:id/explain',
    schema: {
      tags: ['tasks'],
      operationId: 'explainTask',
      summary: 'Why a task waits, runs, or ended as it did',
      params: z.object({ id: z.string() }),
      response: { 200: answerSchema, ...problemResponses('TASK_NOT_FOUND', 'REDIS_UNAVAILABLE') },
    },
    handler: async (request) => {
      const { id } = request.params;
      request.taskId = id;
      return await mill.explainer.explain(id);
    },
  });
}
