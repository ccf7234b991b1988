import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { bundledModel } from './embed.ts';
import { estimateRead, givenText } from './given-text.ts';
import { givenLabels, type LabelSet, labelSet } from './label-set.ts';
import { modelName } from './model-name.ts';

/** Labels that a text-classification model has at most as a rule. */
const modelLabels = 32;
/** Of a result's JSON, in bytes: a label with its score, beside its name; a text; the name of a model's own label. */
const bytesPerLabel = 45;
const bytesPerText = 60;
const bytesPerName = 20;

const needsLabels =
  'a list of at least 2 labels; only where `model` names a text-classification model, which has its own, may it be left out';

const classifyInput = z
  .strictObject({
    texts: z.array(givenText).min(1).meta({ description: 'The texts, each classified by itself.' }),
    labels: givenLabels.optional().meta({
      description:
        'What to choose from: names, or {name, examples} with texts that the label applies to. Of a text-classification model: those of its own labels to choose from; default all.',
    }),
    multiLabel: z.boolean().optional().meta({
      description:
        'Whether several labels, or none, may apply to a text: each gets a score of its own, 0.5 and above meaning yes. Otherwise the scores of a text add up to 1. Default: false, or as a text-classification model says.',
    }),
    model: modelName.optional().meta({
      description: `An embedding model or a text-classification model, a folder below MODELS_DIR; default ${bundledModel}.`,
    }),
    topK: z
      .int()
      .min(1)
      .optional()
      .meta({ description: 'How many labels to give of each text, best first; default all.' }),
  })
  .superRefine(({ labels, model = bundledModel }, context) => {
    if (labels === undefined && model === bundledModel)
      context.addIssue({ code: 'custom', message: needsLabels, path: ['labels'] });
  });
type ClassifyInput = z.infer<typeof classifyInput>;

const methods = ['names', 'examples', 'model'] as const;

const scoredLabel = z.object({
  name: z.string(),
  score: z
    .number()
    .meta({ description: 'From 0 to 1. One label a text: they add up to 1. multiLabel: each by itself.' }),
});

const classifyOutput = z.object({
  results: z
    .array(
      z.object({
        labels: z.array(scoredLabel).meta({ description: 'Best first; equal ones as they were given.' }),
        tokens: z.int().meta({ description: 'Tokens of the text, before it was cut.' }),
        truncated: z.boolean().meta({ description: 'Whether the text was longer than the model reads.' }),
      }),
    )
    .meta({ description: 'One entry per text, in their order.' }),
  method: z.enum(methods).meta({
    description:
      "names: the text's embedding beside those of the labels' names; examples: beside those of the examples; model: a text-classification model.",
  }),
  multiLabel: z.boolean(),
  model: z.string(),
  fingerprint: z
    .string()
    .meta({ description: 'Of the model: changes whenever the same text could give other scores.' }),
  truncatedExamples: z.int().meta({ description: 'How many examples were longer than the model reads.' }),
});

/** One text on its way through a lane. */
export interface ClassifyItem {
  readonly text: string;
  readonly model: string;
  /** Undefined: the model's own. */
  readonly labels: LabelSet | undefined;
  /** Undefined: as the model says. */
  readonly multiLabel: boolean | undefined;
  readonly topK: number | undefined;
}

/** What scored a text; the values of a call share it. */
export interface ScoredBy {
  readonly method: (typeof methods)[number];
  readonly multiLabel: boolean;
  readonly model: string;
  readonly fingerprint: string;
  readonly truncatedExamples: number;
}

/** What a lane makes of one text. */
export interface ClassifyValue {
  readonly labels: z.infer<typeof scoredLabel>[];
  readonly tokens: number;
  readonly truncated: boolean;
  readonly by: ScoredBy;
}

export const classify = defineTaskType({
  type: 'inference.classify',
  family: 'inference',
  description: 'Labels for texts, with scores: by the names of the labels, by a few examples of each, or by a model.',
  input: classifyInput,
  output: classifyOutput,
  example: { texts: ['She won the final in straight sets.'], labels: ['sports', 'politics', 'cooking'] },
  items: ({ texts, labels, model = bundledModel, multiLabel, topK }: ClassifyInput): ClassifyItem[] => {
    const set = labels === undefined ? undefined : labelSet(labels);
    return texts.map((text) => ({ text, model, labels: set, multiLabel, topK }));
  },
  join(values: readonly ClassifyValue[]) {
    const [first] = values;
    if (first === undefined) throw new Error('inference.classify: a task has at least one text');
    return { results: values.map(({ labels, tokens, truncated }) => ({ labels, tokens, truncated })), ...first.by };
  },
  // One set of labels a call: what it costs to read them is never added to somebody else's.
  batchKey: ({ model, labels }) => `${model} ${labels?.key ?? ''}`,
  identity: ({ labels, ...item }) => contentHash({ ...item, labels: labels?.key }),
  model: ({ model = bundledModel }) => model,
  cost: ({ text, model }) => estimateRead(text, model),
  resultBytes: ({ texts, labels, topK = Number.POSITIVE_INFINITY }) =>
    texts.length * (labelBytes(labels, topK) + bytesPerText) + endedTaskBytes,
});

/** What the labels of one text take in a result, in bytes. */
function labelBytes(labels: ClassifyInput['labels'], topK: number): number {
  const names = labels?.map((label) => Buffer.byteLength(typeof label === 'string' ? label : label.name));
  const sizes = (names ?? Array<number>(modelLabels).fill(bytesPerName)).map((name) => name + bytesPerLabel);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return (all * Math.min(topK, sizes.length)) / sizes.length;
}
