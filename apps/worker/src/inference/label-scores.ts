import type { ClassifyValue } from '@millrace/shared/tasks/inference/classify';

/** Scores between 0 and 1 that add up to 1. */
export function softmax(logits: readonly number[]): number[] {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** A score between 0 and 1 that depends on nothing else. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Labels with their scores, best first and equal ones as they were given; the first `topK`. */
export function rankLabels(
  names: readonly string[],
  scores: readonly number[],
  topK: number | undefined,
): ClassifyValue['labels'] {
  const labels = names.map((name, index) => ({ name, score: scores[index] ?? 0 }));
  return labels.sort((a, b) => b.score - a.score).slice(0, topK);
}
