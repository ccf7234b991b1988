import type { Logger } from '@millrace/shared/logger';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { checkHosts } from './auth/hosts.ts';
import { refuseOtherSites } from './auth/other-sites.ts';
import type { ApiDeps } from './deps.ts';
import { authenticate } from './plugins/authenticate.ts';
import { serveBoard } from './plugins/board.ts';
import { guardBodies } from './plugins/body-guards.ts';
import { answerNoRequest } from './plugins/client-errors.ts';
import { answerOtherOrigins } from './plugins/cors.ts';
import { drainOnClose } from './plugins/drain.ts';
import { readJsonBodies } from './plugins/json-body.ts';
import { describeRoutes, serveDocumentation } from './plugins/openapi.ts';
import { answerProblems, sendError } from './plugins/problems.ts';
import { limitRates } from './plugins/rate-limit.ts';
import { logRequests, requestIdOf } from './plugins/request-log.ts';
import { useZodSchemas } from './plugins/schemas.ts';
import { setSecurityHeaders } from './plugins/security-headers.ts';
import { traceRequests } from './plugins/trace-requests.ts';
import { errorOfRequest } from './problem.ts';
import { bulkRoute } from './routes/bulk.ts';
import { cancelTaskRoute } from './routes/cancel-task.ts';
import { changePriorityRoute } from './routes/change-priority.ts';
import { collectionTaskRoutes } from './routes/collection-tasks.ts';
import { collectionRoutes } from './routes/collections.ts';
import { enqueueTaskRoute } from './routes/enqueue-task.ts';
import { errorsRoute } from './routes/errors.ts';
import { explainTaskRoute } from './routes/explain-task.ts';
import { healthRoutes } from './routes/health.ts';
import { homeRoute } from './routes/home.ts';
import { listTasksRoute } from './routes/list-tasks.ts';
import { metricsRoute } from './routes/metrics.ts';
import { openAiRoutes } from './routes/openai.ts';
import { overviewRoutes } from './routes/overview.ts';
import { pauseQueueRoutes } from './routes/pause-queue.ts';
import { queuesRoute } from './routes/queues.ts';
import { readResultRoute } from './routes/read-result.ts';
import { readTaskRoute } from './routes/read-task.ts';
import { retryTaskRoute } from './routes/retry-task.ts';
import { retryTasksRoute } from './routes/retry-tasks.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { taskEventsRoute } from './routes/task-events.ts';
import { taskTypesRoute } from './routes/task-types.ts';
import { workersRoute } from './routes/workers.ts';
import type { ApiServer } from './server.ts';

/** Ids of bare producers' jobs may have 256 characters, each up to 12 in an address. */
const longestParameter = 4096;
/** How long a body may take to come, in ms: long for a stream of lines, short enough to shake off who sends nothing. */
const requestTimeoutMs = 600_000;
/** How long it may stand still meanwhile, and how long headers may take; ms. */
const idleBodyMs = 120_000;
const headersTimeoutMs = 20_000;

/** The whole HTTP side, ready to listen. */
export async function buildApp(deps: ApiDeps, log: Logger): Promise<ApiServer> {
  const loggerInstance: FastifyBaseLogger = log;
  const app: ApiServer = Fastify({
    loggerInstance,
    // One line a request, at its end, is ours (plugins/request-log.ts).
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: deps.bodyLimit,
    requestTimeout: requestTimeoutMs,
    http: { headersTimeout: headersTimeoutMs },
    // While it closes it still answers, and ends the connection with the answer.
    return503OnClosing: false,
    routerOptions: { maxParamLength: longestParameter },
    clientErrorHandler: (error, socket) => answerNoRequest(error, socket),
    frameworkErrors: (error, request, reply) => {
      void sendError(errorOfRequest(error), request, reply.header('x-request-id', request.id));
    },
  });
  useZodSchemas(app);
  readJsonBodies(app);
  answerProblems(app, deps);
  traceRequests(app, deps);
  logRequests(app, deps);
  drainOnClose(app, deps);
  await setSecurityHeaders(app);
  checkHosts(app, deps);
  answerOtherOrigins(app, deps);
  refuseOtherSites(app, deps);
  guardBodies(app, { idleMs: idleBodyMs });
  authenticate(app, deps);
  await limitRates(app, deps);
  await describeRoutes(app, deps);
  await addRoutes(app, deps);
  await app.ready();
  return app;
}

async function addRoutes(app: ApiServer, deps: ApiDeps): Promise<void> {
  enqueueTaskRoute(app, deps);
  await bulkRoute(app, deps);
  readTaskRoute(app, deps);
  readResultRoute(app, deps);
  listTasksRoute(app, deps);
  taskEventsRoute(app, deps);
  explainTaskRoute(app, deps);
  cancelTaskRoute(app, deps);
  retryTaskRoute(app, deps);
  retryTasksRoute(app, deps);
  changePriorityRoute(app, deps);
  scheduleRoutes(app, deps);
  collectionRoutes(app, deps);
  collectionTaskRoutes(app, deps);
  taskTypesRoute(app, deps);
  queuesRoute(app, deps);
  pauseQueueRoutes(app, deps);
  workersRoute(app, deps);
  overviewRoutes(app, deps);
  await openAiRoutes(app, deps);
  healthRoutes(app, deps);
  metricsRoute(app, deps);
  errorsRoute(app);
  homeRoute(app);
  await serveDocumentation(app);
  await serveBoard(app, deps);
}
