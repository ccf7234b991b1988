import { MillraceError } from '@millrace/shared/errors';
import type { ApiServer } from '../server.ts';

/**
 * Reads JSON bodies, and nothing else: Fastify's parser for text/plain goes, since a page of another site may send that
 * without asking. A body that is not JSON is told where it breaks.
 */
export function readJsonBodies(app: ApiServer): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Many clients say JSON with every POST, also where a route wants no body.
    if (body === '' && request.routeOptions.schema?.body === undefined) return done(null, undefined);
    try {
      done(null, parseJson(String(body)));
    } catch (error) {
      done(error as MillraceError);
    }
  });
}

/** @throws MillraceError INVALID_JSON. */
export function parseJson(text: string): unknown {
  if (text.trim() === '') throw new MillraceError('INVALID_JSON', 'There is nothing where a JSON document should be.');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MillraceError('INVALID_JSON', (error as SyntaxError).message, { cause: error });
  }
}
