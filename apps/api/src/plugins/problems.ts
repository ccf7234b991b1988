import { errorTable, MillraceError } from '@millrace/shared/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { errorOfRequest, problemOf, problemType, retryAfterSeconds } from '../problem.ts';
import type { ApiServer } from '../server.ts';

/** Every error answers as problem details; an unexpected one is logged in full and answered without its stack. */
export function answerProblems(app: ApiServer, { bodyLimit }: ApiDeps): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = errorOfRequest(thrown);
    if (error.code === 'BODY_TOO_LARGE') readOn(request, reply);
    return sendError(explain(error, request, bodyLimit), request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    // No URL is made of it: what stands there need not be one.
    const [path = ''] = request.url.split('?');
    const error = new MillraceError('ROUTE_NOT_FOUND', `There is no route ${request.method} ${path.slice(0, 200)}.`);
    return sendError(error, request, reply);
  });
}

/** Fastify's own errors do not say which limit, or which type it was. */
export function explain(error: MillraceError, { headers }: FastifyRequest, bodyLimit: number): MillraceError {
  const { code, cause } = error;
  if (code === 'BODY_TOO_LARGE') return new MillraceError(code, `A body may have ${bodyLimit} bytes.`, { cause });
  if (code !== 'UNSUPPORTED_MEDIA_TYPE') return error;
  const type = headers['content-type']?.slice(0, 100) ?? 'none';
  return new MillraceError(code, `The content type of the body is ${type}.`, { cause });
}

/**
 * Reads the rest of a refused body and forgets it. Fastify would hang up instead, and a client that is still sending would see
 * a broken connection and never the answer. The time limit of requests bounds it.
 */
export function readOn(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection');
  request.raw.resume();
}

/** Logs what is our own fault. */
export function noteFault(error: MillraceError, request: FastifyRequest): void {
  // A client that went away in the middle of its body is no fault of ours.
  if (error.code !== 'INTERNAL' || request.socket.destroyed) return;
  request.log.error({ event: 'request.failed', err: error.cause ?? error }, error.message);
}

/** Answers a request with an error. */
export function sendError(error: MillraceError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status } = errorTable[error.code];
  noteFault(error, request);
  const seconds = retryAfterSeconds(error);
  if (seconds !== undefined) reply.header('retry-after', String(seconds));
  // As bytes, or Fastify would add a charset that this media type does not have.
  return reply
    .code(status)
    .type(problemType)
    .send(Buffer.from(JSON.stringify(problemOf(error))));
}
