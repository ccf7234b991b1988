import type { ApiDeps } from '../deps.ts';
import { answerOpenAiErrors } from '../openai/answer-errors.ts';
import type { ApiServer } from '../server.ts';
import { batchRoutes } from './batches.ts';
import { embeddingsRoute } from './embeddings.ts';
import { fileRoutes } from './files.ts';
import { modelRoutes } from './models.ts';

/** The routes that speak as OpenAI's API does, errors included. */
export async function openAiRoutes(app: ApiServer, deps: ApiDeps): Promise<void> {
  await app.register(async (scope: ApiServer) => {
    answerOpenAiErrors(scope, deps);
    embeddingsRoute(scope, deps);
    modelRoutes(scope, deps);
    await fileRoutes(scope, deps);
    batchRoutes(scope, deps);
  });
}
