import type { PreparedTask } from '@millrace/client/enqueue';
import type { Claim } from '@millrace/client/idempotency';
import { toMillraceError } from '@millrace/shared/errors';
import type { IdempotencyKey } from '@millrace/shared/redis/idempotency-keys';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { leaveBody } from '../plugins/schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import { taskText } from '../result/result-text.ts';
import { sendJsonText } from '../result/send-json.ts';
import type { ApiServer } from '../server.ts';
import { acceptedSchema, submissionSchema, taskSchema } from '../task-schemas.ts';
import type { WaitEnd } from '../task-waits.ts';
import { waitSeconds } from '../wait-query.ts';

const idempotencyKey = z.string().optional().meta({
  description:
    'Made anew for each new task, e.g. a UUID; 1 to 255 printable ASCII characters. Kept as long as the task.',
});

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
      headers: z.looseObject({ 'idempotency-key': idempotencyKey }),
      body: submissionSchema(deps.door.catalog),
      response: {
        200: taskSchema,
        202: acceptedSchema,
        ...problemResponses(
          'INVALID_JSON',
          'INVALID_INPUT',
          'UNSUPPORTED_TASK_TYPE',
          'INPUT_TOO_LARGE',
          'INVALID_REQUEST',
        ),
        ...problemResponses('IDEMPOTENCY_MISMATCH'),
        ...problemResponses('BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'QUEUE_FULL', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) => {
      const arrival = await prepare(deps, request);
      const { id } = arrival.prepared;
      reply.header('location', `/v1/tasks/${id}`);
      if (arrival.known) reply.header('idempotent-replayed', 'true');
      const ms = (request.query.wait ?? 0) * 1000;
      if (ms > 0) return await answer(deps, id, { reply, end: await arriveAndWait(deps, arrival, { ms, reply }) });
      await arrive(deps, arrival);
      if (!arrival.known) return reply.code(202).send(accepted(arrival.prepared));
      const ended = await deps.mill.reader.hasEnded({ family: arrival.prepared.family, jobId: id });
      return await answer(deps, id, { reply, end: ended ? 'ended' : 'time' });
    },
  });
}

/** A task that was submitted, and whether Redis has it already. */
interface Arrival extends Claim {
  readonly key: IdempotencyKey | undefined;
}

async function prepare({ mill, metrics }: ApiDeps, request: FastifyRequest): Promise<Arrival> {
  try {
    const prepared = mill.enqueuer.prepare(request.body);
    const header = request.headers['idempotency-key'];
    const key = typeof header === 'string' ? { caller: request.caller, key: header } : undefined;
    const claim =
      key === undefined ? { prepared, known: false } : await mill.idempotency.claim(prepared, key, request.body);
    request.taskId = claim.prepared.id;
    return { ...claim, key };
  } catch (error) {
    metrics.count('millrace_tasks_refused_total', { code: toMillraceError(error).code });
    throw error;
  }
}

/** Adds the task, unless it is there. */
async function arrive({ mill, metrics }: ApiDeps, { prepared, known, key }: Arrival): Promise<void> {
  try {
    if (!known) await mill.enqueuer.add(prepared);
    if (!known) metrics.count('millrace_tasks_enqueued_total', { type: prepared.task.taskType.type });
    if (key !== undefined) await mill.idempotency.confirm(prepared, key);
  } catch (error) {
    metrics.count('millrace_tasks_refused_total', { code: toMillraceError(error).code });
    throw error;
  }
}

async function arriveAndWait(
  deps: ApiDeps,
  arrival: Arrival,
  { ms, reply }: { ms: number; reply: FastifyReply },
): Promise<WaitEnd> {
  const ref = { family: arrival.prepared.family, jobId: arrival.prepared.id };
  // The watch comes first: a quick task could end between the two.
  const watch = await deps.mill.waiting.watch(ref);
  try {
    await arrive(deps, arrival);
    if (arrival.key !== undefined && (await deps.mill.reader.hasEnded(ref))) return 'ended';
    return await deps.waits.untilEnd(watch, { ms, response: reply.raw });
  } finally {
    watch.stop();
  }
}

async function answer(
  { mill }: ApiDeps,
  id: string,
  { reply, end }: { reply: FastifyReply; end: WaitEnd },
): Promise<FastifyReply> {
  if (end === 'gone') return reply.hijack();
  if (end !== 'ended') return reply.code(202).send(await mill.reader.view(id));
  const { view, result } = await mill.reader.viewWithResult(id);
  return sendJsonText(reply.code(200), await taskText(view, result, 'array'));
}

function accepted({ id, task }: PreparedTask): z.infer<typeof acceptedSchema> {
  const isLater = (task.options.delayMs ?? 0) > 0;
  return { id, type: task.taskType.type, state: isLater ? 'scheduled' : 'queued' };
}
