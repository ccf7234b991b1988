import helmet from '@fastify/helmet';
import type { ApiServer } from '../server.ts';

/** Headers for browsers. What concerns https is left to whoever ends TLS in front of the API. */
export async function setSecurityHeaders(app: ApiServer): Promise<void> {
  await app.register(helmet, {
    // Nothing is loaded from elsewhere: the board asks for a font of Google's, and does without.
    contentSecurityPolicy: {
      directives: {
        upgradeInsecureRequests: null,
        styleSrc: ["'self'", "'unsafe-inline'"],
        fontSrc: ["'self'", 'data:'],
        // Nobody frames us: what a click means must be seen.
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: false,
  });
}
