import { anonymous } from '@millrace/client/idempotency';
import { MillraceError } from '@millrace/shared/errors';
import type { FastifyRequest } from 'fastify';
import { challengeFor, keyOf } from '../auth/credentials.ts';
import { type RouteScope, reaches } from '../auth/scopes.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

/** Lets a request pass whose key reaches what its route asks for. */
export function authenticate(app: ApiServer, { keyring }: ApiDeps): void {
  app.decorateRequest('caller', anonymous);
  app.decorateRequest('callerLimit', undefined);
  app.addHook('onRequest', async (request, reply) => {
    const needs = scopeOf(request);
    if (needs === 'none' || keyring.open) return;
    const key = keyOf(request.headers);
    const caller = keyring.find(key);
    if (caller === undefined) {
      reply.header('www-authenticate', challengeFor(request.headers));
      throw new MillraceError('UNAUTHORIZED', key === undefined ? 'The request has no key.' : 'Nobody has this key.');
    }
    request.caller = caller.name;
    request.callerLimit = caller.limit;
    if (reaches(caller.scope, needs)) return;
    throw new MillraceError('FORBIDDEN', `The key ${caller.name} has the scope ${caller.scope}; this needs ${needs}.`);
  });
}

function scopeOf(request: FastifyRequest): RouteScope {
  const { scope } = request.routeOptions.config;
  if (scope !== undefined) return scope;
  // A route that does not exist is nobody's secret, but only for those with a key.
  return request.is404 || request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'admin';
}
