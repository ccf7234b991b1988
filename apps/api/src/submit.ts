import type { PreparedTask } from '@millrace/client/enqueue';
import type { Claim } from '@millrace/client/idempotency';
import { toMillraceError } from '@millrace/shared/errors';
import type { IdempotencyKey } from '@millrace/shared/redis/idempotency-keys';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from './deps.ts';
import { taskText } from './result/result-text.ts';
import { sendJsonText } from './result/send-json.ts';
import type { acceptedSchema } from './task-schemas.ts';
import type { WaitEnd } from './task-waits.ts';

/** What a request that submits a task says beside it. */
export const submissionHeaders = z.looseObject({
  'idempotency-key': z.string().optional().meta({
    description:
      'Made anew for each new task, e.g. a UUID; 1 to 255 printable ASCII characters. Kept as long as the task.',
  }),
});

interface Submission {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** As it was sent: the producer's door parses it. */
  readonly task: unknown;
  /** How long the answer waits for the end of the task. */
  readonly waitSeconds: number;
}

/**
 * Enqueues a task and answers: 202 when Redis has it, or after a wait 200 with the finished task if it has ended in time.
 * @throws MillraceError as the producer's door and `Enqueuer.add` do.
 */
export async function submit(deps: ApiDeps, submission: Submission): Promise<FastifyReply> {
  const { reply, waitSeconds } = submission;
  const arrival = await prepare(deps, submission);
  const { id } = arrival.prepared;
  reply.header('location', `/v1/tasks/${id}`);
  if (arrival.known) reply.header('idempotent-replayed', 'true');
  const ms = waitSeconds * 1000;
  if (ms > 0) return await answer(deps, id, { reply, end: await arriveAndWait(deps, arrival, { ms, reply }) });
  await arrive(deps, arrival);
  if (!arrival.known) return reply.code(202).send(accepted(arrival.prepared));
  const ended = await deps.mill.reader.hasEnded({ family: arrival.prepared.family, jobId: id });
  return await answer(deps, id, { reply, end: ended ? 'ended' : 'time' });
}

/** A task that was submitted, and whether Redis has it already. */
interface Arrival extends Claim {
  readonly key: IdempotencyKey | undefined;
}

async function prepare({ mill, metrics }: ApiDeps, { request, task }: Submission): Promise<Arrival> {
  try {
    const prepared = mill.enqueuer.prepare(task);
    const header = request.headers['idempotency-key'];
    const key = typeof header === 'string' ? { caller: request.caller, key: header } : undefined;
    const claim = key === undefined ? { prepared, known: false } : await mill.idempotency.claim(prepared, key, task);
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
