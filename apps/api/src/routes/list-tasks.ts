import { taskStates } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';
import { taskSchema } from '../task-schemas.ts';

const query = z.strictObject({
  state: z.enum(taskStates).optional(),
  type: z.string().max(128).optional(),
  tag: z.string().min(1).max(64).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1024).optional().meta({ description: 'Of the page before.' }),
});

const pageSchema = z.object({
  tasks: z.array(taskSchema),
  cursor: z.string().nullable().meta({
    description: 'Leads to the next page; null after the last. A page may be short, even empty, and still have one.',
  }),
});

/** GET /v1/tasks: tasks, newest first. */
export function listTasksRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/tasks',
    schema: {
      tags: ['tasks'],
      operationId: 'listTasks',
      summary: 'List tasks, newest first',
      description:
        'Without results, timings of stages and the problems of failed tasks, which GET /v1/tasks/{id} has. One request looks at 5,000 tasks at most: with a rare state go on with the cursor.',
      querystring: query,
      response: { 200: pageSchema, ...problemResponses('INVALID_REQUEST', 'REDIS_UNAVAILABLE') },
    },
    handler: async ({ query: { limit, cursor, ...filter } }) => {
      const { tasks, cursor: next } = await mill.lister.list(filter, { limit, cursor });
      return { tasks: [...tasks], cursor: next };
    },
  });
}
