import type { Catalog } from '@millrace/shared/tasks/catalog';
import { scheduledTaskSchema, scheduleViewSchema, submittedScheduleSchema } from '@millrace/shared/tasks/schedule';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { leaveBody } from '../plugins/schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const params = z.object({ name: z.string() });
const scheduleSchema = scheduleViewSchema.meta({ id: 'Schedule', description: 'Tasks that come again and again.' });
const missing = problemResponses('SCHEDULE_NOT_FOUND', 'REDIS_UNAVAILABLE');

/** /v1/schedules: tasks that come again and again. */
export function scheduleRoutes(app: ApiServer, deps: ApiDeps): void {
  putRoute(app, deps);
  readRoutes(app, deps);
  app.route({
    method: 'DELETE',
    url: '/v1/schedules/:name',
    config: { scope: 'admin' },
    schema: {
      tags: ['schedules'],
      operationId: 'deleteSchedule',
      summary: 'End a schedule',
      description: 'A run that is due already, or has begun, goes on.',
      params,
      response: { 200: z.object({ name: z.string(), deleted: z.literal(true) }), ...missing },
    },
    handler: async ({ params: { name } }) => {
      await deps.mill.schedules.remove(name);
      return { name, deleted: true as const };
    },
  });
}

function putRoute(app: ApiServer, { mill, door }: ApiDeps): void {
  app.route({
    method: 'PUT',
    url: '/v1/schedules/:name',
    config: { scope: 'admin' },
    validatorCompiler: leaveBody,
    schema: {
      tags: ['schedules'],
      operationId: 'putSchedule',
      summary: 'Make or change a schedule',
      description:
        'By `cron` or by `everyMs`. The next run is armed when the one before is begun, so runs never pile up: while no worker lives, one waits.',
      params,
      body: submissionSchema(door.catalog),
      response: {
        200: scheduleSchema,
        ...problemResponses(
          'INVALID_JSON',
          'INVALID_REQUEST',
          'INVALID_INPUT',
          'UNSUPPORTED_TASK_TYPE',
          'INPUT_TOO_LARGE',
          'WEBHOOKS_OFF',
        ),
        ...problemResponses('BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request) => await mill.schedules.put(request.params.name, request.body),
  });
}

function readRoutes(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/schedules',
    schema: {
      tags: ['schedules'],
      operationId: 'listSchedules',
      summary: 'Every schedule, by name',
      response: { 200: z.object({ schedules: z.array(scheduleSchema) }), ...problemResponses('REDIS_UNAVAILABLE') },
    },
    handler: async () => ({ schedules: await mill.schedules.list() }),
  });
  app.route({
    method: 'GET',
    url: '/v1/schedules/:name',
    schema: {
      tags: ['schedules'],
      operationId: 'readSchedule',
      summary: 'Read a schedule',
      params,
      response: { 200: scheduleSchema, ...missing },
    },
    handler: async ({ params: { name } }) => await mill.schedules.get(name),
  });
}

/** A submitted schedule, for the documentation: its task with the input of its type. */
function submissionSchema(catalog: Catalog): z.ZodType {
  const tasks = [...catalog.values()].map(({ type, input, description, example }) =>
    scheduledTaskSchema
      .extend({ type: z.literal(type), input })
      .meta({ title: type, description, examples: [{ type, input: example }] }),
  );
  return submittedScheduleSchema.extend({ task: z.union(tasks) });
}
