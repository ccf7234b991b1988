import { type RerankItem, type RerankValue, rerank } from '@millrace/shared/tasks/inference/rerank';
import { defineProcessor, type Processor } from '@millrace/shared/tasks/processor';
import { loadByKind } from './load-by-kind.ts';
import type { Models } from './models.ts';
import { QueryVectors, rerankByCosine } from './rerank-by-cosine.ts';
import { rerankByModel } from './rerank-by-model.ts';

interface RerankParams {
  readonly models: Models;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
}

/** Scores documents for queries: by the cosine of their embeddings, or by a cross-encoder where `model` names one. */
export function rerankProcessor({ models, passTokens }: RerankParams): Processor<RerankItem, RerankValue> {
  const queries = new QueryVectors();
  return defineProcessor(rerank, {
    process: async (items, context) => {
      const call = { passTokens, context };
      // The batch key is the model: all items of a call name the same.
      const loaded = await loadByKind(models, items[0]?.model ?? '');
      switch (loaded.kind) {
        case 'classifier':
          return await rerankByModel(loaded.classifier, items, call);
        case 'embedder':
          return await rerankByCosine(loaded.embedder, items, { call, queries });
        case 'unable':
          return items.map(() => loaded.outcome);
      }
    },
  });
}
