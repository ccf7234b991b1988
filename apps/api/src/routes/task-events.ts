import { Readable } from 'node:stream';
import { followTask, type TaskEvent } from '@millrace/client/task-events';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { errorOfRequest, problemOf } from '../problem.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

/** A comment keeps proxies from hanging up on a stream in which nothing happens; ms. */
const quietMs = 15_000;

/** GET /v1/tasks/{id}/events: what happens to a task, as server-sent events. */
export function taskEventsRoute(app: ApiServer, { mill, waits }: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/v1/tasks/:id/events',
    schema: {
      tags: ['tasks'],
      operationId: 'followTask',
      summary: 'Follow a task, as server-sent events',
      description:
        '`state` {id, state, at}: as it is, then each change. `progress` {done, total}: items. `end`: the task as GET /v1/tasks/{id} reads it without its result, and the stream ends. `error`: a problem, and the stream ends. Nothing for 15 s: a comment.',
      params: z.object({ id: z.string() }),
      response: {
        200: { description: 'Server-sent events', content: { 'text/event-stream': { schema: z.string() } } },
        ...problemResponses('TASK_NOT_FOUND', 'REDIS_UNAVAILABLE'),
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      request.taskId = id;
      const { signal, stop } = waits.streaming(reply.raw);
      const events = followTask(mill, id, { signal, quietMs });
      const finish = () => {
        stop();
        void events.return(undefined);
      };
      try {
        // Until the first event is there an error can still be answered as one.
        const texts = eventTexts(id, await events.next(), events);
        return sendEvents(reply, Readable.from(texts).once('close', finish));
      } catch (error) {
        finish();
        throw error;
      }
    },
  });
}

function sendEvents(reply: FastifyReply, stream: Readable): FastifyReply {
  reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no');
  // Kept alive, the connection would hold the exit of the API after the end of the stream.
  return reply.header('connection', 'close').type('text/event-stream').send(stream);
}

type Events = AsyncGenerator<TaskEvent>;

async function* eventTexts(
  id: string,
  first: IteratorResult<TaskEvent, unknown>,
  events: Events,
): AsyncGenerator<string> {
  if (first.done === true) return;
  yield eventText(id, first.value);
  try {
    for await (const event of events) yield eventText(id, event);
  } catch (error) {
    yield sseText('error', problemOf(errorOfRequest(error)));
  }
}

function eventText(id: string, event: TaskEvent): string {
  switch (event.kind) {
    case 'state':
      return sseText('state', { id, state: event.state, at: event.at });
    case 'progress':
      return sseText('progress', { done: event.done, total: event.total });
    case 'end':
      return sseText('end', event.view);
    case 'quiet':
      return ': nothing new\n\n';
  }
}

function sseText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
