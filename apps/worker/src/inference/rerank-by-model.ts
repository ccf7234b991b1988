import type { RerankItem, RerankValue } from '@millrace/shared/tasks/inference/rerank';
import { failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { sigmoid } from './label-scores.ts';
import { type PassCall, runPasses } from './run-passes.ts';
import type { SequenceClassifier } from './runtime.ts';

/** Scores documents by a cross-encoder, which reads each with its query. */
export async function rerankByModel(
  classifier: SequenceClassifier,
  items: readonly RerankItem[],
  call: PassCall,
): Promise<ItemOutcome<RerankValue>[]> {
  const { model, labels } = classifier;
  if (labels.length !== 1) {
    const problem = `model: ${model} has ${labels.length} labels, a cross-encoder has one; name a cross-encoder or an embedding model, or use inference.classify.`;
    return items.map(() => failed('INVALID_INPUT', problem));
  }
  const by = { method: 'cross-encoder', model, fingerprint: classifier.fingerprint(), queryTruncated: false } as const;
  const pairs = items.map(({ query, document }) => classifier.tokenize(query.text, document));
  const network = { batches: classifier.batches, compute: classifier.logits.bind(classifier) };
  const rows = await runPasses(network, pairs, call);
  return pairs.map(({ tokens, truncated }, index) => {
    const score = sigmoid(rows[index]?.[0] ?? Number.NaN);
    if (Number.isNaN(score)) return failed('PROCESSOR_FAILED', `${model} gave no score for it.`);
    return succeeded({ score, tokens, truncated, by });
  });
}
