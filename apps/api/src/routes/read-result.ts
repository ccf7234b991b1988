import type { TaskResult } from '@millrace/client/read';
import { MillraceError } from '@millrace/shared/errors';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../problem-responses.ts';
import { negotiate } from '../result/negotiate.ts';
import { encodingSchema, resultText } from '../result/result-text.ts';
import type { ApiServer } from '../server.ts';

const json = 'application/json';
const bytes = 'application/octet-stream';

/** GET /v1/tasks/{id}/result: the output alone, as JSON or, for vectors, as the bytes that Redis has. */
export function readResultRoute(app: ApiServer, { mill }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/tasks/:id/result',
    schema: {
      tags: ['tasks'],
      operationId: 'readResult',
      summary: 'Read the result of a task',
      description:
        'As application/json, or with `Accept: application/octet-stream` the vectors alone: float32, little-endian, row by row, with their shape in the header Millrace-Shape (ROWSxDIMENSIONS).',
      params: z.object({ id: z.string() }),
      querystring: z.strictObject({ encoding: encodingSchema }),
      response: {
        200: {
          description: 'The output, as GET /v1/task-types describes it for the type.',
          content: {
            [json]: { schema: z.record(z.string(), z.unknown()) },
            [bytes]: {
              schema: z.string().meta({ description: 'float32, little-endian, row-major', format: 'binary' }),
            },
          },
        },
        ...problemResponses('TASK_NOT_FOUND', 'RESULT_NOT_READY', 'TASK_NOT_SUCCEEDED', 'RESULT_EXPIRED'),
        ...problemResponses('NOT_ACCEPTABLE', 'INVALID_REQUEST', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      request.taskId = id;
      const result = await mill.reader.result(id);
      const form = chooseForm(result, request.headers.accept);
      reply.header('vary', 'accept').type(form);
      if (form === bytes) return sendBytes(reply, result);
      return reply.send(await resultText(result, request.query.encoding));
    },
  });
}

function chooseForm({ view, vectors }: TaskResult, accept: string | undefined): string {
  const offered = vectors === undefined ? [json] : [json, bytes];
  const form = negotiate(accept, offered);
  if (form !== undefined) return form;
  const detail = `The result of ${view.type} comes as ${offered.join(' or ')}, and not as ${(accept ?? '').slice(0, 200)}.`;
  throw new MillraceError('NOT_ACCEPTABLE', detail);
}

function sendBytes(reply: FastifyReply, { vectors }: TaskResult): FastifyReply {
  if (vectors === undefined) throw new MillraceError('INTERNAL', 'a result without vectors was offered as vectors');
  return reply.header('millrace-shape', `${vectors.rows}x${vectors.dimensions}`).send(vectors.bytes);
}
