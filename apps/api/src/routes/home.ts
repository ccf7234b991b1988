import type { ApiServer } from '../server.ts';

/** GET /: leads to the documentation. */
export function homeRoute(app: ApiServer): void {
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'));
}
