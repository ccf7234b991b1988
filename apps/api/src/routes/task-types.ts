import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import { jsonSchemasOf } from '@millrace/shared/tasks/json-schemas';
import { type Door, limitsOf } from '@millrace/shared/tasks/parse';
import { families } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema, draft 2020-12.' });

const taskTypesSchema = z.object({
  types: z.array(
    z.object({
      type: z.string(),
      family: z.enum(families),
      description: z.string(),
      limits: z.object({
        items: z.int().meta({ description: 'Most items of one task.' }),
        bytes: z.int().meta({ description: 'Most bytes of its input as JSON.' }),
      }),
      example: z.unknown().meta({ description: 'An input that works.' }),
      input: jsonSchema,
      output: jsonSchema,
    }),
  ),
});
type TaskTypes = z.infer<typeof taskTypesSchema>;

/** GET /v1/task-types: what can be enqueued. */
export function taskTypesRoute(app: ApiServer, { door }: ApiDeps): void {
  const answer: TaskTypes = { types: [...door.catalog.values()].map((taskType) => describeType(door, taskType)) };
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

function describeType(door: Door, taskType: TaskType): TaskTypes['types'][number] {
  const { type, family, description, example } = taskType;
  return {
    type,
    family,
    description,
    limits: limitsOf(door, taskType),
    example,
    ...jsonSchemasOf(taskType),
  };
}
