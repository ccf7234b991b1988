import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { leaveBody } from '../plugins/schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';
import { submissionHeaders, submit } from '../submit.ts';
import { acceptedSchema, submissionSchema, taskSchema } from '../task-schemas.ts';
import { waitSeconds } from '../wait-query.ts';

/** POST /v1/tasks: one task, and with ?wait= its result. */
export function enqueueTaskRoute(app: ApiServer, deps: ApiDeps): void {
  app.route({
    method: 'POST',
    url: '/v1/tasks',
    config: { scope: 'enqueue' },
    validatorCompiler: leaveBody,
    schema: {
      tags: ['tasks'],
      operationId: 'enqueueTask',
      summary: 'Enqueue a task',
      description:
        'Answers when Redis has the task. With `?wait=SECONDS` it answers 200 with the finished task if it ends in time.',
      querystring: z.strictObject({ wait: waitSeconds }),
      headers: submissionHeaders,
      body: submissionSchema(deps.door.catalog),
      response: {
        200: taskSchema,
        202: acceptedSchema,
        ...problemResponses(
          'INVALID_JSON',
          'INVALID_INPUT',
          'UNSUPPORTED_TASK_TYPE',
          'INPUT_TOO_LARGE',
          'MODEL_NOT_AVAILABLE',
          'INVALID_REQUEST',
          'WEBHOOKS_OFF',
        ),
        ...problemResponses('COLLECTION_NOT_FOUND'),
        ...problemResponses('IDEMPOTENCY_MISMATCH', 'COLLECTION_MISMATCH'),
        ...problemResponses('BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) =>
      await submit(deps, { request, reply, task: request.body, waitSeconds: request.query.wait ?? 0 }),
  });
}
