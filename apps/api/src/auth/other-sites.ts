import type { IncomingHttpHeaders } from 'node:http';
import { MillraceError } from '@millrace/shared/errors';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

const onlyReads: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses what the page of another site would change. A browser sends the key it was told along with every request to us, whoever
 * made it; and without keys anybody's page could reach a loopback address. Programs send none of these headers.
 */
export function refuseOtherSites(app: ApiServer, { reach }: ApiDeps): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, method } = request;
    if (onlyReads.includes(method) || isOwn(headers) || reach.origins.includes(headers.origin ?? '')) return done();
    done(new MillraceError('OTHER_SITE', 'The page of another site sent this request.'));
  });
}

/** Browsers tell the relation of the sites over https and on loopback, and the origin of every request that may change things. */
export function isOwn({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  // `none`: the user did it, and no page.
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
