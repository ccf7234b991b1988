import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import { MillraceError } from '@millrace/shared/errors';
import { BoardAdapter } from '../board/board-adapter.ts';
import type { ApiDeps } from '../deps.ts';
import { errorOfRequest } from '../problem.ts';
import type { ApiServer } from '../server.ts';
import { WebhookBoardAdapter } from '../webhooks/webhook-board-adapter.ts';
import { sendError } from './problems.ts';

const basePath = '/board';

/** Bull Board, for admins, read-only in every mode: retry, cancel and pause are routes of ours. */
export async function serveBoard(app: ApiServer, { mill, webhooks, hidePayloads }: ApiDeps): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(basePath);
  const queues = [...mill.queues].map(
    ([family, queue]) => new BoardAdapter({ family, queue, redis: mill.redis, hidePayloads }),
  );
  const more = webhooks === undefined ? [] : [new WebhookBoardAdapter(webhooks.queue, { hidePayloads })];
  createBullBoard({
    queues: [...queues, ...more],
    serverAdapter,
    // Workers are ours to tell (GET /v1/workers): BullMQ's list of them reads CLIENT LIST with every poll.
    options: { uiConfig: { boardTitle: 'Millrace', showWorkers: false, hideDocsLink: true } },
  });
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, scope: 'admin' };
      // The board's own handler would answer for us, too: a missing key, Redis that is away.
      route.errorHandler = (thrown, request, reply) => sendError(errorOfRequest(thrown), request, reply);
    });
    scope.addHook('onRequest', async (request) => {
      // The tree of a task and its children comes past our adapter, with progress and messages as they are.
      if (hidePayloads && request.routeOptions.url?.endsWith('/flow')) {
        throw new MillraceError('ROUTE_NOT_FOUND', 'While the board hides payloads it shows no children of tasks.');
      }
      if (request.method === 'GET' || request.method === 'HEAD') return;
      throw new MillraceError(
        'ROUTE_NOT_FOUND',
        'The board only shows; tasks are changed through the routes below /v1.',
      );
    });
    await scope.register(serverAdapter.registerPlugin(), { prefix: basePath });
  });
}
