import { type ErrorCode, errorTable, MillraceError } from '@millrace/shared/errors';
import { isRedisUnavailable } from '@millrace/shared/redis/connection';
import { z } from 'zod';

const problemEntry = z.object({
  path: z.string().meta({ description: 'Where, e.g. `input.texts[3]`.' }),
  got: z.string(),
  expected: z.string(),
  remedy: z.string(),
});

/** RFC 9457 problem details, as every error answers. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'A URI reference of the kind of error; GET it for its meaning.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What was wrong this time.' }),
    code: z.string().meta({ description: 'Stable; see docs/errors.md.' }),
    remedy: z.string().meta({ description: 'What to do about it.' }),
    problems: z
      .array(problemEntry)
      .optional()
      .meta({ description: 'Everything that was wrong with the input, at once.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });
export type ProblemDetails = z.infer<typeof problemSchema>;

export const problemType = 'application/problem+json';

/** What an error answers. */
export function problemOf(error: MillraceError): ProblemDetails {
  const { title, status, remedy } = errorTable[error.code];
  return {
    type: `/errors/${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    remedy,
    ...(error.problems.length > 0 ? { problems: [...error.problems] } : {}),
  };
}

/** Seconds for Retry-After; undefined when trying again is no use, or nobody can say when it is. */
export function retryAfterSeconds(error: MillraceError): number | undefined {
  const { status } = errorTable[error.code];
  if (status !== 429 && status !== 503) return undefined;
  return error.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(error.retryAfterMs / 1000));
}

/** Fastify's own errors in our terms. */
const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_BAD_URL: 'ROUTE_NOT_FOUND',
  FST_ERR_MAX_PARAM_LENGTH: 'ROUTE_NOT_FOUND',
};

/** What anything that a request threw is in Millrace's terms; a stranger's error becomes INTERNAL. */
export function errorOfRequest(thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (isRedisUnavailable(thrown)) {
    return new MillraceError('REDIS_UNAVAILABLE', `Redis does not answer: ${message}`, {
      cause: thrown,
      retryAfterMs: 1000,
    });
  }
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  const known = fastifyCodes[String(code)];
  if (known !== undefined) return new MillraceError(known, message, { cause: thrown });
  const isClients = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return new MillraceError(isClients ? 'INVALID_REQUEST' : 'INTERNAL', message, { cause: thrown });
}
