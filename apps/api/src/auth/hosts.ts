import { MillraceError } from '@millrace/shared/errors';
import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

/**
 * Refuses requests for host names that are not ours. A page can make a name of its own point at this machine (DNS rebinding), and
 * is then no other site to the browser; the name in Host gives it away. With keys it gains nothing, for it has none: then names are
 * only looked at when some are set.
 */
export function checkHosts(app: ApiServer, { keyring, reach }: ApiDeps): void {
  const named = new Set(reach.hosts);
  if (!keyring.open && named.size === 0) return;
  app.addHook('onRequest', (request, _reply, done) => {
    const host = hostName(request.headers.host);
    const { scope } = request.routeOptions.config;
    // Whoever asks for its health may know it by the address of a container.
    if (scope === 'none' || (host !== undefined && (isLoopbackName(host) || named.has(host)))) return done();
    const said = JSON.stringify(request.headers.host?.slice(0, 100) ?? '');
    done(new MillraceError('HOST_NOT_ALLOWED', `The request is for the host ${said}.`));
  });
}

/** The name in a Host header, without its port; undefined when there is none. */
export function hostName(header: string | undefined): string | undefined {
  const [, name] = /^(\[[^\]]*\]|[^:]+)(?::\d*)?$/.exec(header ?? '') ?? [];
  return name?.toLowerCase().replace(/\.$/, '');
}

/** Whether a name can only mean this machine, whatever a name server says. */
export function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
