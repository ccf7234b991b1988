import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import type { Look } from '../overview/overview-feed.ts';
import { overviewSchema } from '../overview/overview-schema.ts';
import { problemOf } from '../problem.ts';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

/** When a reader should come again after its stream broke; ms. */
const comeAgainMs = 1000;
/** While Redis is slow to answer, a comment keeps proxies from hanging up; ms. */
const quietMs = 10_000;

const about = 'What the page at / shows. It is read at most once a second, however many ask.';

/** GET /v1/overview and /v1/overview/events: how all of a mill stands, at once or from second to second. */
export function overviewRoutes(app: ApiServer, { overview, waits }: ApiDeps): void {
  const config = { scope: 'admin', quiet: true } as const;
  app.route({
    method: 'GET',
    url: '/v1/overview',
    config,
    schema: {
      tags: ['operation'],
      operationId: 'overview',
      summary: 'Queues, workers, calls, runs, collections and failures at a glance',
      description: about,
      response: { 200: overviewSchema, ...problemResponses('REDIS_UNAVAILABLE') },
    },
    handler: async (_request, reply) => {
      const look = await overview.latest();
      if (look.kind === 'missed') throw look.error;
      return sendText(reply, look.text);
    },
  });
  app.route({
    method: 'GET',
    url: '/v1/overview/events',
    config,
    schema: {
      tags: ['operation'],
      operationId: 'followOverview',
      summary: 'The same every second, as server-sent events',
      description: `\`overview\`: as GET /v1/overview answers. \`problem\`: it could not be read, and is tried again. ${about} Who reads slowly gets fewer.`,
      response: {
        200: { description: 'Server-sent events', content: { 'text/event-stream': { schema: z.string() } } },
      },
    },
    handler: async (_request, reply) => {
      const { signal, stop } = waits.streaming(reply.raw);
      return sendEvents(reply, Readable.from(eventTexts(overview.follow(signal))).once('close', stop));
    },
  });
}

/** The text of an overview, which is JSON already. */
function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .serializer(String)
    .send(text);
}

function sendEvents(reply: FastifyReply, stream: Readable): FastifyReply {
  reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no');
  // Kept alive, the connection would hold the exit of the API after the end of the stream.
  return reply.header('connection', 'close').type('text/event-stream').send(stream);
}

/** The events of some looks. A stream asks for the next only when its reader has taken the last. */
async function* eventTexts(looks: AsyncGenerator<Look>): AsyncGenerator<string> {
  yield `retry: ${comeAgainMs}\n\n`;
  try {
    for (let next = looks.next(); ; ) {
      const look = await within(next, quietMs);
      if (look?.done === true) return;
      yield look === undefined ? ': nothing yet\n\n' : eventText(look.value);
      if (look !== undefined) next = looks.next();
    }
  } finally {
    await looks.return(undefined);
  }
}

function eventText(look: Look): string {
  if (look.kind === 'seen') return `event: overview\ndata: ${look.text}\n\n`;
  return `event: problem\ndata: ${JSON.stringify(problemOf(look.error))}\n\n`;
}

/** What a promise gives, or undefined when it takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
