import type { ErrorCode } from '@millrace/shared/errors';
import type { FastifySchema, RouteOptions } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { openAiErrors } from '../openai/answer-errors.ts';
import { problemResponses } from '../problem-responses.ts';

interface Documented {
  readonly description: string;
}

/** The schema of a route with what every route may answer, whoever wrote it: who asks, how often, and for what address. */
export function withCommonAnswers(
  schema: FastifySchema,
  route: RouteOptions,
  { keyring, reach }: Pick<ApiDeps, 'keyring' | 'reach'>,
): FastifySchema {
  const { scope, quiet } = route.config ?? {};
  const codes: ErrorCode[] = [];
  if (scope !== 'none') {
    codes.push(...(keyring.open ? [] : (['UNAUTHORIZED', 'FORBIDDEN', 'REDIS_UNAVAILABLE'] as const)));
    if (keyring.open || reach.hosts.length > 0) codes.push('HOST_NOT_ALLOWED');
  }
  // A body that nobody wants is looked at all the same.
  if (route.method !== 'GET') codes.push('OTHER_SITE', 'UNSUPPORTED_MEDIA_TYPE', 'BODY_TOO_LARGE', 'INVALID_JSON');
  if (!keyring.open || reach.rateLimit > 0) if (quiet !== true) codes.push('RATE_LIMITED');
  if (route.url.includes(':')) codes.push('ROUTE_NOT_FOUND');
  const answers = schema.tags?.includes('openai') ? openAiErrors(...codes) : problemResponses(...codes);
  const own = (schema.response ?? {}) as Record<string, Documented>;
  const merged: Record<string, Documented> = { ...own };
  for (const [status, answer] of Object.entries(answers)) {
    const known = own[status];
    merged[status] = known === undefined ? answer : { ...known, description: joined(known, answer) };
  }
  return { ...schema, response: merged };
}

/** The codes of both, each once. */
function joined(...answers: readonly Documented[]): string {
  return [...new Set(answers.flatMap(({ description }) => description.split(', ')))].join(', ');
}
