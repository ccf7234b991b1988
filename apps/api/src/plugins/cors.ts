import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

/** How long a browser may remember what it was told; s. */
const rememberedSeconds = 600;
const methods = 'GET, HEAD, POST, PUT, DELETE';
const readable = 'Retry-After, X-Request-Id, Millrace-Shape, Location, X-RateLimit-Limit, X-RateLimit-Remaining';

/**
 * Lets pages of the origins that are set use the API (CORS); all others are told nothing, and their browsers refuse. Credentials
 * that a browser adds by itself are never allowed: such a page sends its key.
 */
export function answerOtherOrigins(app: ApiServer, { reach }: ApiDeps): void {
  if (reach.origins.length === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    const { method, headers } = request;
    reply.header('vary', 'Origin');
    if (!reach.origins.includes(headers.origin ?? '')) return;
    reply.header('access-control-allow-origin', headers.origin);
    reply.header('access-control-expose-headers', readable);
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return;
    reply.header('access-control-allow-methods', methods);
    // What it may say is checked when it says it.
    reply.header('access-control-allow-headers', headers['access-control-request-headers'] ?? '');
    reply.header('access-control-max-age', String(rememberedSeconds));
    return reply.code(204).send();
  });
}
