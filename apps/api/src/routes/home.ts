import type { FastifyReply, FastifyRequest } from 'fastify';
import { type PageFile, readPage } from '../page-files.ts';
import type { ApiServer } from '../server.ts';

/**
 * Nothing but files of this API, and no text ever becomes markup or script (trusted types), whatever a task, a collection or a
 * host is called.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** GET /: the page that shows what happens now, and the files below /page that it is made of. */
export function homeRoute(app: ApiServer): void {
  const options = { schema: { hide: true }, config: { scope: 'admin', quiet: true } } as const;
  for (const [name, file] of readPage()) {
    const url = name === 'index.html' ? '/' : `/page/${name}`;
    app.get(url, options, (request, reply) => sendFile(file, request, reply));
  }
}

function sendFile({ type, etag, bytes }: PageFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Asked for anew each time, so that a page and its scripts are of one version.
  reply.header('cache-control', 'no-cache').header('etag', etag).header('content-security-policy', policy);
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return reply.type(type).send(bytes);
}
