import type { ClassifyItem, ClassifyValue, ScoredBy } from '@millrace/shared/tasks/inference/classify';
import type { LabelSet } from '@millrace/shared/tasks/inference/label-set';
import { failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { embedTexts } from './embed-texts.ts';
import { labelLogits } from './label-head.ts';
import type { LabelHeads } from './label-heads.ts';
import { rankLabels, sigmoid, softmax } from './label-scores.ts';
import type { PassCall } from './run-passes.ts';
import type { Embedder } from './runtime.ts';
import { normalized } from './unit-vectors.ts';

interface LabelCall {
  readonly call: PassCall;
  readonly heads: LabelHeads;
  readonly labels: LabelSet;
}

/** Scores labels by how near their embeddings are to those of the texts. */
export async function classifyByLabels(
  embedder: Embedder,
  items: readonly ClassifyItem[],
  { call, heads, labels }: LabelCall,
): Promise<ItemOutcome<ClassifyValue>[]> {
  const { head, truncatedExamples } = await heads.get(embedder, labels, call);
  const texts = await embedTexts(
    embedder,
    items.map(({ text }) => ({ text })),
    call,
  );
  const byOne: ScoredBy = {
    method: head.method,
    multiLabel: false,
    model: embedder.model,
    fingerprint: embedder.fingerprint(true),
    truncatedExamples,
  };
  const byEach: ScoredBy = { ...byOne, multiLabel: true };
  return texts.map(({ vector, tokens, truncated }, index) => {
    const { multiLabel = false, topK } = items[index] ?? {};
    const logits = labelLogits(head, normalized(vector));
    if (!logits.every(Number.isFinite)) return failed('PROCESSOR_FAILED', `${embedder.model} gave no vector for it.`);
    const scores = multiLabel ? logits.map(sigmoid) : softmax(logits);
    return succeeded({
      labels: rankLabels(head.names, scores, topK),
      tokens,
      truncated,
      by: multiLabel ? byEach : byOne,
    });
  });
}
