import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Metrics } from '@millrace/shared/metrics';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

/** nginx's number for a client that left before its answer. */
const clientLeft = 499;

/** The caller's own request id, if it is one that a log can bear, or a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Gives each request an id in the answer, and one log line and one observation at its end; never bodies, never keys. */
export function logRequests(app: ApiServer, { metrics }: ApiDeps): void {
  app.decorateRequest('taskId', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const began = performance.now();
    reply.header('x-request-id', request.id);
    // `close` comes after every answer and also without one, when the client leaves.
    reply.raw.once('close', () => noteEnd({ request, reply, metrics, ms: performance.now() - began }));
    done();
  });
}

interface Ended {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly metrics: Metrics;
  readonly ms: number;
}

function noteEnd({ request, reply, metrics, ms }: Ended): void {
  const status = reply.raw.writableFinished ? reply.statusCode : clientLeft;
  // The pattern, not the address: a label must not grow with the tasks, nor a log hold what a query may.
  const route = request.routeOptions.url ?? 'none';
  metrics.observe(
    'millrace_http_request_seconds',
    { method: request.method, route, status: String(status) },
    ms / 1000,
  );
  const line = {
    event: 'request',
    method: request.method,
    route,
    status,
    ms: Math.round(ms * 10) / 10,
    ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
  };
  if (request.routeOptions.config.quiet === true && status < 500) request.log.debug(line, 'request');
  else request.log.info(line, 'request');
}
