import { errorTable, isErrorCode, MillraceError } from '@millrace/shared/errors';
import { z } from 'zod';
import { problemResponses } from '../problem-responses.ts';
import type { ApiServer } from '../server.ts';

const errorSchema = z.object({
  code: z.string(),
  title: z.string(),
  status: z.int(),
  retryable: z.boolean().meta({ description: 'Whether the same request can succeed later.' }),
  remedy: z.string(),
});

/** GET /errors/{code}: where the `type` of a problem leads. */
export function errorsRoute(app: ApiServer): void {
  app.route({
    method: 'GET',
    url: '/errors/:code',
    schema: {
      tags: ['operation'],
      operationId: 'describeError',
      summary: 'What an error code means',
      params: z.object({ code: z.string() }),
      response: { 200: errorSchema, ...problemResponses('ROUTE_NOT_FOUND') },
    },
    handler: (request): z.infer<typeof errorSchema> => {
      const { code } = request.params;
      if (!isErrorCode(code))
        throw new MillraceError('ROUTE_NOT_FOUND', `There is no error ${JSON.stringify(code.slice(0, 80))}.`);
      return { code, ...errorTable[code] };
    },
  });
}
