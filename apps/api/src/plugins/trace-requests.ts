import type { SpanFacts, TraceSpan } from '@millrace/shared/tracing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

/**
 * A span for each request, in the trace that its `traceparent` names or in one of its own: what the request enqueues belongs to it, and
 * its log lines have the `traceId`. Nothing is added while traces are off, and what machines ask for all the time is never traced.
 */
export function traceRequests(app: ApiServer, { tracing }: Pick<ApiDeps, 'tracing'>): void {
  if (tracing === undefined) return;
  const spans = new WeakMap<FastifyRequest, TraceSpan>();
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.quiet === true) return done();
    // The pattern, not the address: a name must not grow with the tasks, nor a trace hold what a query may.
    const route = request.routeOptions.url ?? 'none';
    const span = tracing.begin(`${request.method} ${route}`, {
      kind: 'server',
      carrier: request.headers,
      facts: { 'http.request.method': request.method, 'http.route': route, 'millrace.request.id': request.id },
    });
    spans.set(request, span);
    request.log = request.log.child({ traceId: span.traceId });
    // `close` comes after every answer and also without one, when the client leaves.
    reply.raw.once('close', () => endSpan(span, request, reply));
    done();
  });
  // Only here, for a body's events come from its socket, which belongs to no request.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else span.within(done);
  });
}

function endSpan(span: TraceSpan, request: FastifyRequest, reply: FastifyReply): void {
  const { statusCode } = reply;
  const facts: SpanFacts = {
    'http.response.status_code': statusCode,
    'millrace.answered': reply.raw.writableFinished,
    ...(request.taskId === undefined ? {} : { 'millrace.task.id': request.taskId }),
  };
  span.note(facts);
  if (statusCode >= 500) span.fail(String(statusCode));
  span.end();
}
