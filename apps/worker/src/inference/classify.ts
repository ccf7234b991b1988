import { type ClassifyItem, type ClassifyValue, classify } from '@millrace/shared/tasks/inference/classify';
import { defineProcessor, failed, type Processor } from '@millrace/shared/tasks/processor';
import { classifyByLabels } from './classify-by-labels.ts';
import { classifyByModel } from './classify-by-model.ts';
import { LabelHeads } from './label-heads.ts';
import { loadByKind } from './load-by-kind.ts';
import type { Models } from './models.ts';

interface ClassifyParams {
  readonly models: Models;
  /** Padded tokens of one forward pass. */
  readonly passTokens: number;
}

/** Scores labels for texts: beside the labels' embeddings, or by a text-classification model where `model` names one. */
export function classifyProcessor({ models, passTokens }: ClassifyParams): Processor<ClassifyItem, ClassifyValue> {
  const heads = new LabelHeads();
  return defineProcessor(classify, {
    process: async (items, context) => {
      // The batch key is model and labels: all items of a call have the same.
      const { model = '', labels } = items[0] ?? {};
      const call = { passTokens, context };
      const loaded = await loadByKind(models, model);
      switch (loaded.kind) {
        case 'classifier':
          return await classifyByModel(loaded.classifier, items, { call, labels });
        case 'embedder':
          if (labels !== undefined) return await classifyByLabels(loaded.embedder, items, { call, heads, labels });
          return items.map(() =>
            failed('INVALID_INPUT', `labels: ${model} is an embedding model and has none of its own; name at least 2.`),
          );
        case 'unable':
          return items.map(() => loaded.outcome);
      }
    },
  });
}
