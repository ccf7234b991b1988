import type { ClassifyItem, ClassifyValue } from '@millrace/shared/tasks/inference/classify';
import type { LabelSet } from '@millrace/shared/tasks/inference/label-set';
import { failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { rankLabels, sigmoid, softmax } from './label-scores.ts';
import { type PassCall, runPasses } from './run-passes.ts';
import type { SequenceClassifier } from './runtime.ts';

interface ModelCall {
  readonly call: PassCall;
  /** Which of the model's labels to choose from; undefined: all. */
  readonly labels: LabelSet | undefined;
}

/** Scores labels by a text-classification model. */
export async function classifyByModel(
  classifier: SequenceClassifier,
  items: readonly ClassifyItem[],
  { call, labels }: ModelCall,
): Promise<ItemOutcome<ClassifyValue>[]> {
  const names = labels?.labels.map(({ name }) => name) ?? classifier.labels;
  const problem = problemOf(classifier, labels);
  if (problem !== undefined) return items.map(() => failed('INVALID_INPUT', problem));
  const columns = names.map((name) => classifier.labels.indexOf(name));
  const texts = items.map(({ text }) => classifier.tokenize(text));
  const network = { batches: classifier.batches, compute: classifier.logits.bind(classifier) };
  const rows = await runPasses(network, texts, call);
  return texts.map(({ tokens, truncated }, index) => {
    // A lone logit has nothing to be weighed against.
    const { multiLabel = classifier.multiLabel || names.length === 1, topK } = items[index] ?? {};
    const logits = columns.map((column) => rows[index]?.[column] ?? Number.NaN);
    if (!logits.every(Number.isFinite)) return failed('PROCESSOR_FAILED', `${classifier.model} gave no score for it.`);
    const scores = multiLabel ? logits.map(sigmoid) : softmax(logits);
    return succeeded({
      labels: rankLabels(names, scores, topK),
      tokens,
      truncated,
      by: {
        method: 'model',
        multiLabel,
        model: classifier.model,
        fingerprint: classifier.fingerprint(),
        truncatedExamples: 0,
      },
    });
  });
}

/** Why the labels that were given are not for this model; undefined when they are. */
function problemOf({ model, labels: own }: SequenceClassifier, given: LabelSet | undefined): string | undefined {
  const labels = given?.labels ?? [];
  const withExamples = labels.findIndex(({ examples }) => examples.length > 0);
  if (withExamples >= 0) {
    return `labels[${withExamples}].examples: ${model} is a text-classification model and learns nothing from examples; leave them out, or name an embedding model.`;
  }
  const stranger = labels.findIndex(({ name }) => !own.includes(name));
  if (stranger < 0) return undefined;
  const name = JSON.stringify(labels[stranger]?.name);
  return `labels[${stranger}]: ${model} has no label ${name}; it has ${own.join(', ')}. Use these, leave labels out, or name an embedding model.`;
}
