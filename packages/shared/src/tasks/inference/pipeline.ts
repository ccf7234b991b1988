import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { estimateTokens } from '../estimate-tokens.ts';
import { bundledModel } from './embed.ts';
import {
  isPooled,
  type PipelineInput,
  type PipelineName,
  type PipelineOptions,
  type PipelineTask,
  pipelineInput,
  pipelineName,
} from './pipeline-variants.ts';

/** Tokens of a text beyond which its cost no longer grows; few models read more. */
const longestRead = 8192;
/** What a pipeline writes unless max_new_tokens says otherwise, in tokens. */
const defaultNewTokens = 256;
/** About how many tokens a hypothesis of zero-shot classification adds to a text. */
const hypothesisTokens = 8;
/** What a forward pass costs besides its tokens, in tokens: measured about 2 ms where a token takes 0.09 ms. */
const passCost = 20;

/** Numbers in a token's vector, as many as models have at most as a rule; and one of them as JSON, in bytes. */
const dimensions = 1024;
const bytesPerNumber = 21;
/** A label with its score, as JSON, in bytes. */
const bytesPerLabel = 64;
/** Labels that a model has at most as a rule. */
const modelLabels = 32;
/** A token that is written, in bytes. */
const bytesPerToken = 6;

const pipelineOutput = z.object({
  outputs: z.array(z.unknown()).meta({ description: "The pipeline's output for each input, in their order." }),
  pipeline: z.string(),
  model: z.string(),
  fingerprint: z.string().meta({ description: 'Changes whenever the same input could give another output.' }),
  tokens: z.array(z.int()).meta({ description: 'Tokens of each input, before it was cut.' }),
  truncated: z.array(z.boolean()).meta({ description: 'Whether the input was longer than the model reads.' }),
});

/** One input on its way through a lane. */
export interface PipelineItem {
  readonly pipeline: PipelineName;
  readonly model: string;
  readonly input: PipelineInput;
  readonly options: PipelineOptions;
  /** Items with the same pipeline, model and options have the same. */
  readonly group: string;
}

/** What a lane makes of one input. */
export interface PipelineValue {
  readonly output: unknown;
  readonly tokens: number;
  readonly truncated: boolean;
  readonly fingerprint: string;
}

export const pipeline = defineTaskType({
  type: 'inference.pipeline',
  family: 'inference',
  description: 'Any text pipeline of transformers.js, by a model of your own.',
  input: pipelineInput,
  output: pipelineOutput,
  example: {
    pipeline: 'feature-extraction' as const,
    model: bundledModel,
    inputs: ['The wheel turns as long as the water runs.'],
    options: { pooling: 'mean' as const, normalize: true },
  },
  items: (task: PipelineTask): PipelineItem[] => {
    const pipeline = pipelineName(task.pipeline);
    const { model, options = {} } = task;
    const group = contentHash({ pipeline, model, options: contentHash(options) });
    return task.inputs.map((input) => ({ pipeline, model, input, options, group }));
  },
  join(values: readonly PipelineValue[], task) {
    return {
      outputs: values.map(({ output }) => output),
      pipeline: pipelineName(task.pipeline),
      model: task.model,
      fingerprint: values[0]?.fingerprint ?? '',
      tokens: values.map(({ tokens }) => tokens),
      truncated: values.map(({ truncated }) => truncated),
    };
  },
  batchKey: ({ group }) => group,
  identity: (item) => (isDrawn(item) ? undefined : contentHash({ group: item.group, input: item.input })),
  model: ({ model }) => model,
  cost,
  resultBytes(task, inputBytes) {
    const { perInput, perToken, copies } = resultSize(pipelineName(task.pipeline), task.options ?? {});
    const inputs: readonly PipelineInput[] = task.inputs;
    const tokens = perToken === 0 ? 0 : inputs.reduce((sum, input) => sum + read(input), 0);
    return endedTaskBytes + inputs.length * perInput + tokens * perToken + copies * inputBytes;
  },
});

/** What a pipeline may write is drawn by chance when the task, or the folder of the model, says so: it is not the same twice. */
function isDrawn({ pipeline, options }: PipelineItem): boolean {
  return writes(pipeline) && !('do_sample' in options && options.do_sample === false);
}

function writes(pipeline: PipelineName): boolean {
  return ['summarization', 'translation', 'text2text-generation', 'text-generation'].includes(pipeline);
}

/** Tokens that are read. Each token that is written is a pass of its own, and so is each label of zero-shot classification. */
function cost({ pipeline, input, options }: PipelineItem): number {
  if (writes(pipeline)) return read(input) + newTokens(options) * passCost;
  if ('candidate_labels' in options)
    return options.candidate_labels.length * (read(input) + hypothesisTokens + passCost);
  return read(input);
}

function newTokens(options: PipelineOptions): number {
  return ('max_new_tokens' in options ? options.max_new_tokens : undefined) ?? defaultNewTokens;
}

function read(input: PipelineInput): number {
  return estimateTokens(textOf(input), longestRead);
}

function textOf(input: PipelineInput): string {
  if (typeof input === 'string') return input;
  if ('question' in input) return `${input.question} ${input.context}`;
  return input.map(({ content }) => content).join(' ');
}

/** What an output takes as JSON, in bytes: for each input, for each token that it has, and how often it stands in the output. */
interface ResultSize {
  readonly perInput: number;
  readonly perToken: number;
  readonly copies: number;
}

function resultSize(pipeline: PipelineName, options: PipelineOptions): ResultSize {
  const best = 'top_k' in options ? options.top_k : undefined;
  switch (pipeline) {
    case 'text-classification':
      return { perInput: (best === null ? modelLabels : (best ?? 1)) * bytesPerLabel, perToken: 0, copies: 0 };
    case 'token-classification':
      return { perInput: bytesPerLabel, perToken: 2 * bytesPerLabel, copies: 0 };
    case 'fill-mask':
      return { perInput: (best ?? 5) * 2 * bytesPerLabel, perToken: 0, copies: best ?? 5 };
    case 'question-answering':
      return { perInput: (best ?? 1) * 4 * bytesPerLabel, perToken: 0, copies: 0 };
    case 'zero-shot-classification':
      return { perInput: labelBytes(options), perToken: 0, copies: 1 };
    case 'feature-extraction':
      return vectorSize(options);
    case 'summarization':
    case 'translation':
    case 'text2text-generation':
      return { perInput: newTokens(options) * bytesPerToken, perToken: 0, copies: 0 };
    case 'text-generation':
      return { perInput: newTokens(options) * bytesPerToken, perToken: 0, copies: 1 };
  }
}

function labelBytes(options: PipelineOptions): number {
  const labels = 'candidate_labels' in options ? options.candidate_labels : [];
  return labels.reduce((sum, label) => sum + label.length + bytesPerLabel, 0);
}

function vectorSize(options: PipelineOptions): ResultSize {
  const pooled = 'pooling' in options && isPooled(options);
  const vector = dimensions * bytesPerNumber;
  return pooled ? { perInput: vector, perToken: 0, copies: 0 } : { perInput: 0, perToken: vector, copies: 0 };
}
