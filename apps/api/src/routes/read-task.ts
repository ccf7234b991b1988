import { MillraceError } from '@millrace/shared/errors';
import { parseTaskId } from '@millrace/shared/tasks/ids';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import { encodingSchema, taskText } from '../result/result-text.ts';
import { sendJsonText } from '../result/send-json.ts';
import type { ApiServer } from '../server.ts';
import { taskSchema } from '../task-schemas.ts';
import type { WaitEnd } from '../task-waits.ts';
import { waitSeconds } from '../wait-query.ts';

const query = z.strictObject({
  wait: waitSeconds,
  encoding: encodingSchema,
  result: z.enum(['true', 'false']).default('true').meta({ description: 'false leaves the result out.' }),
});

/** GET /v1/tasks/{id}: the task as it stands, or with ?wait= as soon as it has ended. */
export function readTaskRoute(app: ApiServer, deps: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/tasks/:id',
    schema: {
      tags: ['tasks'],
      operationId: 'readTask',
      summary: 'Read a task',
      description: 'With its result when it has succeeded and the result is still kept.',
      params: z.object({ id: z.string() }),
      querystring: query,
      response: { 200: taskSchema, ...problemResponses('TASK_NOT_FOUND', 'INVALID_REQUEST', 'REDIS_UNAVAILABLE') },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const { wait = 0, encoding, result } = request.query;
      request.taskId = id;
      if (wait > 0 && (await waitFor(deps, id, { ms: wait * 1000, reply })) === 'gone') return reply.hijack();
      if (result === 'false') return await deps.mill.reader.view(id);
      const found = await deps.mill.reader.viewWithResult(id);
      return sendJsonText(reply, await taskText(found.view, found.result, encoding));
    },
  });
}

async function waitFor(
  { mill, waits }: ApiDeps,
  id: string,
  { ms, reply }: { ms: number; reply: FastifyReply },
): Promise<WaitEnd> {
  const ref = parseTaskId(id);
  if (ref === undefined)
    throw new MillraceError('TASK_NOT_FOUND', `There is no task ${JSON.stringify(id.slice(0, 80))}.`);
  const watch = await mill.waiting.watch(ref);
  try {
    // It may have ended before the watch began.
    if (await mill.reader.hasEnded(ref)) return 'ended';
    return await waits.untilEnd(watch, { ms, response: reply.raw });
  } finally {
    watch.stop();
  }
}
