import type { Readable } from 'node:stream';
import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import { problemsOf } from '@millrace/shared/tasks/problems';
import { submittedTaskSchema } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import { type BulkEntry, BulkIntake, bulkItemSchema } from '../bulk/intake.ts';
import { type Line, lineBatches, tooLong } from '../bulk/lines.ts';
import type { ApiDeps } from '../deps.ts';
import { parseJson } from '../plugins/json-body.ts';
import { leaveBody } from '../plugins/schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const mostTasks = 10_000;
/** Tasks that are added in one step: a short pause for Redis, and little to hold. */
const addedAtOnce = 200;
const ndjsonTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/x-jsonlines'];

const documentedTask = submittedTaskSchema.extend({
  idempotencyKey: z.string().optional().meta({ description: 'As the header Idempotency-Key of a single task.' }),
});
const documentedBody = z.strictObject({ tasks: z.array(documentedTask).max(mostTasks) }).meta({
  'x-ndjson': {
    type: 'string',
    description: 'One task a line, each as in POST /v1/tasks. Lines are enqueued as they arrive.',
  },
});
const answerSchema = z.object({ accepted: z.int(), refused: z.int(), items: z.array(bulkItemSchema) });

/** POST /v1/tasks/bulk: up to 10,000 tasks, as one JSON document or as a stream of lines. */
export async function bulkRoute(app: ApiServer, deps: ApiDeps): Promise<void> {
  // In a scope of its own: only this route takes lines.
  await app.register(async (scope: ApiServer) => {
    scope.addContentTypeParser(ndjsonTypes, (_request, payload, done) => done(null, payload));
    scope.route({
      method: 'POST',
      url: '/v1/tasks/bulk',
      config: { scope: 'enqueue' },
      validatorCompiler: leaveBody,
      schema: {
        tags: ['tasks'],
        operationId: 'enqueueTasks',
        summary: 'Enqueue up to 10,000 tasks',
        description:
          'A task that is refused does not keep the others out: each has its own status in the answer, in order.',
        body: documentedBody,
        response: {
          200: answerSchema,
          ...problemResponses('INVALID_JSON', 'INVALID_REQUEST', 'TOO_MANY_ITEMS', 'BODY_TOO_LARGE'),
          ...problemResponses('UNSUPPORTED_MEDIA_TYPE', 'REDIS_UNAVAILABLE'),
        },
      },
      handler: async (request) => {
        const intake = new BulkIntake({ mill: deps.mill, metrics: deps.metrics, caller: request.caller });
        const { body } = request as { body: unknown };
        if (body === request.raw) await takeLines(intake, request.raw, deps.bodyLimit);
        else
          await takeInParts(
            intake,
            tasksOf(body).map((task) => ({ task })),
          );
        if (intake.failure !== undefined) throw intake.failure;
        const accepted = intake.items.filter(({ status }) => status === 202).length;
        return { accepted, refused: intake.size - accepted, items: intake.items };
      },
    });
  });
}

/** @throws MillraceError INVALID_REQUEST, TOO_MANY_ITEMS; nothing has been enqueued then. */
function tasksOf(body: unknown): unknown[] {
  // Counted first: a list of millions is not worth a look at its entries.
  const tasks: unknown = typeof body === 'object' && body !== null && 'tasks' in body ? body.tasks : undefined;
  if (Array.isArray(tasks) && tasks.length > mostTasks) {
    throw new MillraceError('TOO_MANY_ITEMS', `The request has ${tasks.length} tasks; nothing was enqueued.`);
  }
  const parsed = z.strictObject({ tasks: z.array(z.unknown()) }).safeParse(body);
  if (parsed.success) return parsed.data.tasks;
  const problems = problemsOf(parsed.error.issues, body);
  throw new MillraceError(
    'INVALID_REQUEST',
    'The body is not {"tasks": […]}; for lines of JSON say application/x-ndjson.',
    {
      problems,
    },
  );
}

async function takeInParts(intake: BulkIntake, entries: readonly BulkEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += addedAtOnce) {
    await intake.take(entries.slice(start, start + addedAtOnce));
    // If Redis was away from the first task on, so be it for all: no use in going on.
    if (intake.failure !== undefined) throw intake.failure;
  }
}

async function takeLines(intake: BulkIntake, stream: Readable, longest: number): Promise<void> {
  try {
    // Leaving the loop must not destroy the stream: that is the connection on which the answer goes.
    const pieces: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
    for await (const lines of lineBatches(pieces, longest)) {
      const entries = lines.filter((line) => line !== '').map((line) => entryOf(line, longest));
      const room = mostTasks - intake.size;
      await takeInParts(intake, entries.slice(0, room));
      if (entries.length <= room) continue;
      await intake.take([{ error: beyondLast() }]);
      return;
    }
  } finally {
    // What is left of the body is read and forgotten, or the client could not finish sending and read the answer.
    stream.resume();
  }
}

function entryOf(line: Line, longest: number): BulkEntry {
  if (line === tooLong) return { error: new MillraceError('BODY_TOO_LARGE', `A line may have ${longest} bytes.`) };
  try {
    return { task: parseJson(line) };
  } catch (error) {
    return { error: toMillraceError(error) };
  }
}

function beyondLast(): MillraceError {
  return new MillraceError(
    'TOO_MANY_ITEMS',
    `This line and all behind it were not read: a request has at most ${mostTasks} tasks.`,
  );
}
