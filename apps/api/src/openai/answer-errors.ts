import type { ErrorCode, MillraceError } from '@millrace/shared/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { explain, noteFault, readOn } from '../plugins/problems.ts';
import { errorOfRequest, retryAfterSeconds } from '../problem.ts';
import type { ApiServer } from '../server.ts';
import { openAiErrorOf, openAiErrorSchema, openAiStatus } from './openai-error.ts';

/** Every error of the routes of a scope answers in OpenAI's form, a missing key and a body that is not JSON as well. */
export function answerOpenAiErrors(scope: ApiServer, { bodyLimit }: ApiDeps): void {
  scope.setErrorHandler((thrown, request, reply) => {
    const error = explain(errorOfRequest(thrown), request, bodyLimit);
    if (error.code === 'BODY_TOO_LARGE' || error.code === 'FILE_TOO_LARGE') readOn(request, reply);
    return sendOpenAiError(error, request, reply);
  });
}

function sendOpenAiError(error: MillraceError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  noteFault(error, request);
  const seconds = retryAfterSeconds(error);
  if (seconds !== undefined) reply.header('retry-after', String(seconds));
  return reply.code(openAiStatus(error.code)).type('application/json').send(openAiErrorOf(error));
}

interface DocumentedError {
  readonly description: string;
  readonly content: { readonly 'application/json': { readonly schema: typeof openAiErrorSchema } };
}

/** The error answers of a route, for its documentation: one a status, naming our codes. */
export function openAiErrors(...codes: readonly ErrorCode[]): Record<number, DocumentedError> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const status = openAiStatus(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/json': { schema: openAiErrorSchema } } as const;
  return Object.fromEntries([...byStatus].map(([status, same]) => [status, { description: same.join(', '), content }]));
}

/** The page of a list in OpenAI's shape. */
export function listOf<Entry extends { readonly id: string }>(data: Entry[], hasMore: boolean) {
  const first_id = data[0]?.id ?? null;
  return { object: 'list' as const, data, first_id, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}
