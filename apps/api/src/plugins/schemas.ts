import { MillraceError } from '@millrace/shared/errors';
import { problemsOf } from '@millrace/shared/tasks/problems';
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import type { ApiServer } from '../server.ts';

/**
 * Schemas are zod's. What comes in is checked by them, all problems at once; what goes out is typed by them when it is compiled
 * and not parsed again: a worker of another version may say more of itself than we know.
 */
export function useZodSchemas(app: ApiServer): void {
  app.setValidatorCompiler(checkPart);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

/** For a route whose body is parsed by the producer's door: its schema is only for the documentation. */
export const leaveBody: FastifySchemaCompiler<unknown> = (route) => {
  if (route.httpPart === 'body') return (value) => ({ value });
  return checkPart(route);
};

const checkPart: FastifySchemaCompiler<unknown> = ({ schema, httpPart }) => {
  return (value) => {
    const parsed = (schema as z.ZodType).safeParse(value);
    if (parsed.success) return { value: parsed.data };
    const problems = problemsOf(parsed.error.issues, value, httpPart === 'querystring' ? 'query' : httpPart);
    const [first] = problems;
    const detail = first ? `${first.path}: got ${first.got}, expected ${first.expected}.` : 'The request is not valid.';
    return { error: new MillraceError('INVALID_REQUEST', detail, { problems }) };
  };
};
