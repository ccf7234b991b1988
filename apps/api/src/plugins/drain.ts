import type { ApiDeps } from '../deps.ts';
import type { ApiServer } from '../server.ts';

/** When the API closes: requests that wait are answered with what there is, and connections end with their answer. */
export function drainOnClose(app: ApiServer, { waits }: ApiDeps): void {
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    waits.close();
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    // Otherwise a connection that is kept alive would hold the exit for its 72 s.
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
}
