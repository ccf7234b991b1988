import { families } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const filterSchema = z
  .strictObject({
    type: z.string().optional().meta({ description: 'Only tasks of this type.' }),
    family: z.enum(families).optional().meta({ description: 'Only tasks of this family.' }),
    code: z
      .string()
      .max(64)
      .optional()
      .meta({ description: 'Only tasks that failed with this code of docs/errors.md, e.g. TASK_TIMEOUT.' }),
  })
  .refine(({ type, family }) => type !== undefined || family !== undefined, {
    error: 'a type or a family',
    path: ['type'],
  });

const answerSchema = z.object({
  retried: z.int(),
  more: z
    .boolean()
    .meta({ description: 'There were more than one request takes (10,000 tasks, or 5 seconds): send it again.' }),
});

/** POST /v1/tasks/retry: all failed tasks of a type or family wait again. */
export function retryTasksRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/tasks/retry',
    config: { scope: 'enqueue' },
    schema: {
      tags: ['tasks'],
      operationId: 'retryTasks',
      summary: 'Try all failed tasks of a type or family again',
      description: 'Tasks that were cancelled or expired stay as they are.',
      body: filterSchema,
      response: {
        200: answerSchema,
        ...problemResponses('INVALID_JSON', 'INVALID_REQUEST', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request) => await mill.retrying.retryAll(request.body),
  });
}
