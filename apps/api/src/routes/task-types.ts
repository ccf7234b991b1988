import { taskTypeViewSchema, taskTypeViews } from '@millrace/shared/tasks/task-type-view';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

const taskTypesSchema = z.object({ types: z.array(taskTypeViewSchema) });

/** GET /v1/task-types: what can be enqueued. */
export function taskTypesRoute(app: ApiServer, { door }: ApiDeps): void {
  const answer: z.infer<typeof taskTypesSchema> = { types: taskTypeViews(door) };
  app.route({
    method: 'GET',
    url: '/v1/task-types',
    schema: {
      tags: ['tasks'],
      operationId: 'listTaskTypes',
      summary: 'Every task type, with the JSON Schema of its input and result',
      response: { 200: taskTypesSchema },
    },
    handler: () => answer,
  });
}
