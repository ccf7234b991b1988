import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { RouteScope } from './auth/scopes.ts';

/** The HTTP server as plugins and routes see it: schemas are zod's. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** The task that a request is about, for the log. */
    taskId: string | undefined;
    /** The name of the key that it came with; `anonymous` where none is needed. */
    caller: string;
    /** How many requests a minute its key may send, where that is said of the key itself. */
    callerLimit: number | undefined;
  }
  interface FastifyContextConfig {
    /** The key that the route asks for; left out, `read` for GET and HEAD, `admin` for all else. */
    scope?: RouteScope;
    /** Asked all the time by machines: its log line is for debugging. */
    quiet?: boolean;
  }
}
