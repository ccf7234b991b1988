import { type ErrorCode, MillraceError } from '@millrace/shared/errors';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import { jsonSchemasOf } from '@millrace/shared/tasks/json-schemas';
import { describe } from '@millrace/shared/tasks/problems';
import { deletePoints } from '@millrace/shared/tasks/vector/delete';
import { documents } from '@millrace/shared/tasks/vector/documents';
import { search } from '@millrace/shared/tasks/vector/search';
import { upsert } from '@millrace/shared/tasks/vector/upsert';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { leaveBody } from '../plugins/schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';
import { submissionHeaders, submit } from '../submit.ts';
import { acceptedSchema, taskSchema } from '../task-schemas.ts';
import { waitSeconds } from '../wait-query.ts';

interface CollectionTask {
  /** Below the address of the collection. */
  readonly path: string;
  readonly taskType: TaskType;
  readonly operationId: string;
  readonly summary: string;
}

const collectionTasks: readonly CollectionTask[] = [
  { path: 'points', taskType: upsert, operationId: 'upsertPoints', summary: 'Write points' },
  { path: 'points/delete', taskType: deletePoints, operationId: 'deletePoints', summary: 'Delete points' },
  { path: 'search', taskType: search, operationId: 'searchCollection', summary: 'Search' },
  {
    path: 'documents',
    taskType: documents,
    operationId: 'writeDocuments',
    summary: 'Cut texts into chunks, embed them and write them as points',
  },
];

const refusals: readonly ErrorCode[] = [
  ...(['INVALID_JSON', 'INVALID_INPUT', 'INPUT_TOO_LARGE', 'INVALID_REQUEST', 'MODEL_NOT_AVAILABLE'] as const),
  ...(['COLLECTION_NOT_FOUND', 'COLLECTION_MISMATCH', 'IDEMPOTENCY_MISMATCH'] as const),
  ...(['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'] as const),
];

/** POST below /v1/collections/{name}: tasks of the vector family, the input of each without the name of the collection. */
export function collectionTaskRoutes(app: ApiServer, deps: ApiDeps): void {
  for (const task of collectionTasks) collectionTaskRoute(app, deps, task);
}

function collectionTaskRoute(
  app: ApiServer,
  deps: ApiDeps,
  { path, taskType, operationId, summary }: CollectionTask,
): void {
  const { type, description } = taskType;
  app.route({
    method: 'POST',
    url: `/v1/collections/:name/${path}`,
    config: { scope: 'enqueue' },
    validatorCompiler: leaveBody,
    schema: {
      tags: ['collections'],
      operationId,
      summary,
      description: `${description} A task of ${type}, as by POST /v1/tasks; with \`?wait=SECONDS\` its end is waited for.`,
      params: z.object({ name: z.string() }),
      querystring: z.strictObject({ wait: waitSeconds }),
      headers: submissionHeaders,
      body: bodySchema(taskType),
      response: { 200: taskSchema, 202: acceptedSchema, ...problemResponses(...refusals) },
    },
    handler: async (request, reply) => {
      const task = { type, input: withCollection(request.body, request.params.name) };
      return await submit(deps, { request, reply, task, waitSeconds: request.query.wait ?? 0 });
    },
  });
}

/**
 * What is no object the producer's door refuses.
 * @throws MillraceError INVALID_INPUT when the body names another collection than the address.
 */
function withCollection(body: unknown, collection: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  if (!('collection' in body) || body.collection === collection) return { ...body, collection };
  const got = describe(body.collection);
  const expected = `none, or ${collection} as in the address`;
  throw new MillraceError('INVALID_INPUT', `input.collection: got ${got}, expected ${expected}.`, {
    problems: [{ path: 'input.collection', got, expected, remedy: 'Leave it out.' }],
  });
}

/** The input of a type without its `collection`, for the documentation. */
function bodySchema(taskType: TaskType): z.ZodType {
  const { $schema: _, properties, required, ...schema } = jsonSchemasOf(taskType).input;
  const { collection: _name, ...others } = properties as Record<string, unknown>;
  const { collection: _given, ...example } = taskType.example as Record<string, unknown>;
  return z.unknown().meta({
    ...schema,
    properties: others,
    required: (required as string[]).filter((name) => name !== 'collection'),
    examples: [example],
  });
}
