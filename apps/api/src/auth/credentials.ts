import type { IncomingHttpHeaders } from 'node:http';

/** The key that a request carries: X-API-Key, Bearer, or the password of Basic, which is what a browser can send. */
export function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const own = headers['x-api-key'];
  if (typeof own === 'string' && own !== '') return own;
  const [, scheme, value] = /^(bearer|basic) +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
}

/** The challenge for who came without a key: a browser asks its user when it sees Basic. */
export function challengeFor(headers: IncomingHttpHeaders): string {
  const isBrowser = headers.accept?.includes('text/html') === true;
  return isBrowser ? 'Basic realm="Millrace", charset="UTF-8"' : 'Bearer realm="Millrace"';
}
