import { MillraceError } from '@millrace/shared/errors';
import type { ApiServer } from '../server.ts';

/**
 * Bodies that are made to hurt: a packed one is refused, since nothing here unpacks; and a connection whose body stands still for
 * `idleMs` is cut off, so that many that send nothing cannot hold all connections.
 */
export function guardBodies(app: ApiServer, { idleMs }: { idleMs: number }): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, method, raw } = request;
    const { 'content-length': length = '0', 'transfer-encoding': transfer } = headers;
    if (length !== '0' || transfer !== undefined) {
      // Nobody listens for the timeout of a socket, and then Node ends it.
      raw.socket.setTimeout(idleMs);
      for (const event of ['end', 'close']) raw.once(event, () => raw.socket.setTimeout(0));
    }
    const encoding = headers['content-encoding'];
    if (encoding === undefined || method === 'GET' || method === 'HEAD' || encoding.toLowerCase() === 'identity')
      return done();
    const said = JSON.stringify(encoding.slice(0, 40));
    done(new MillraceError('UNSUPPORTED_MEDIA_TYPE', `The content encoding of the body is ${said}; send it as it is.`));
  });
}
