import { z } from 'zod';
import { estimateTokens } from '../estimate-tokens.ts';
import { modelName } from './model-name.ts';

/** Entries that a list of labels or messages may have. */
const mostEntries = 100;
/** Vectors of tokens that one task may ask for: as JSON they take 16 MB of the bundled model's, and more of larger ones. */
const mostTokenVectors = 2048;
/** The longest text that one input may be told to write, in tokens. */
const longestOutput = 4096;

const text = z.string().refine((value) => value.trim() !== '', { error: 'a text that is not empty' });

const pair = z.strictObject({
  question: text.meta({ description: 'What is asked.' }),
  context: text.meta({ description: 'The text that the answer is taken out of.' }),
});

const chat = z
  .array(
    z.strictObject({
      role: z.enum(['system', 'user', 'assistant']).meta({ description: 'Who says it.' }),
      content: z.string().meta({ description: 'What is said.' }),
    }),
  )
  .min(1)
  .max(mostEntries)
  .meta({ description: "A conversation; the model's folder must have a chat template." });

const textOrChat = z.union([text, chat]);

function best(byDefault: number) {
  return z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: `How many to give, best first; default ${byDefault}.` });
}

const classificationOptions = z.strictObject({
  top_k: z
    .int()
    .min(1)
    .max(1000)
    .nullable()
    .optional()
    .meta({ description: 'How many labels to give, best first; null: all; default 1.' }),
});

const tokenOptions = z.strictObject({
  ignore_labels: z
    .array(z.string().max(256))
    .max(mostEntries)
    .optional()
    .meta({ description: 'Labels of tokens that are left out; default ["O"].' }),
  aggregation_strategy: z
    .enum(['none', 'simple'])
    .optional()
    .meta({ description: 'simple: tokens of one entity are put together; default none.' }),
});

const zeroShotOptions = z.strictObject({
  candidate_labels: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(mostEntries)
    .meta({ description: 'The labels to choose from.' }),
  hypothesis_template: z
    .string()
    .max(512)
    .refine((value) => value.includes('{}'), { error: 'a text with {} where the label goes' })
    .optional()
    .meta({ description: 'The sentence about each label, {} for the label; default "This example is {}.".' }),
  multi_label: z
    .boolean()
    .optional()
    .meta({ description: 'Whether each label holds or not by itself; default false: the scores add up to 1.' }),
});

const featureOptions = z.strictObject({
  pooling: z
    .enum(['none', 'mean', 'cls', 'first_token', 'last_token', 'eos'])
    .optional()
    .meta({ description: 'How the vectors of the tokens become one; default none: a vector per token.' }),
  normalize: z.boolean().optional().meta({ description: 'Scale each vector to length 1; default false.' }),
  quantize: z.boolean().optional().meta({ description: 'One bit per number, eight to a byte; default false.' }),
  precision: z
    .enum(['binary', 'ubinary'])
    .optional()
    .meta({ description: 'With quantize: bytes with a sign or without one; default binary.' }),
});

/** Whether each input gets one vector. */
export function isPooled(options: { readonly pooling?: string | undefined } | undefined): boolean {
  return options?.pooling !== undefined && options.pooling !== 'none';
}

function tokensOf(texts: readonly string[]): number {
  return texts.reduce((sum, one) => sum + estimateTokens(one, mostTokenVectors + 1), 0);
}

const generation = {
  max_new_tokens: z
    .int()
    .min(1)
    .max(longestOutput)
    .optional()
    .meta({ description: 'The most tokens that are written for an input; default 256.' }),
  min_new_tokens: z
    .int()
    .min(0)
    .max(longestOutput)
    .optional()
    .meta({ description: 'The fewest tokens that are written; default 0.' }),
  do_sample: z
    .boolean()
    .optional()
    .meta({ description: "Draw the next token by its probability; default: as the model's folder says, else false." }),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .meta({ description: 'With do_sample: above 1 more varied, below 1 less; default 1.' }),
  top_k: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'With do_sample: only the best so many tokens are drawn from; default 50.' }),
  repetition_penalty: z
    .number()
    .min(0.01)
    .max(100)
    .optional()
    .meta({ description: 'Above 1: what was written already becomes less likely; default 1.' }),
  no_repeat_ngram_size: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .meta({ description: 'No run of so many tokens is written twice; 0, the default: any may be.' }),
};

const languages = {
  src_lang: z
    .string()
    .max(32)
    .optional()
    .meta({ description: "The language of the texts, as the model's folder calls it." }),
  tgt_lang: z.string().max(32).optional().meta({ description: 'The language to translate into.' }),
};

/** One kind of pipeline: its names, what one input is, and which of transformers.js's options it takes. */
function variant<
  const Names extends readonly [string, ...string[]],
  Input extends z.ZodType,
  Options extends z.ZodType,
>(names: Names, { input, options }: { readonly input: Input; readonly options: Options }) {
  return z.strictObject({
    pipeline: z.enum(names).meta({ description: 'The name of the pipeline in transformers.js.' }),
    model: modelName.meta({
      description: 'A folder below MODELS_DIR (or a model of the hub, where workers may load it).',
    }),
    inputs: z.array(input).min(1).meta({ description: 'What to run it on; each by itself.' }),
    options: options.meta({ description: 'What the pipeline is told, by the names of transformers.js.' }),
  });
}

const generate = z.strictObject(generation).optional();

/** By pipeline, in the order of the documentation. */
const variants = [
  variant(['text-classification', 'sentiment-analysis'], { input: text, options: classificationOptions.optional() }),
  variant(['token-classification', 'ner'], { input: text, options: tokenOptions.optional() }),
  variant(['fill-mask'], { input: text, options: z.strictObject({ top_k: best(5) }).optional() }),
  variant(['question-answering'], { input: pair, options: z.strictObject({ top_k: best(1) }).optional() }),
  variant(['zero-shot-classification'], { input: text, options: zeroShotOptions }),
  variant(['feature-extraction', 'embeddings'], { input: text, options: featureOptions.optional() }).refine(
    ({ inputs, options }) => isPooled(options) || tokensOf(inputs) <= mostTokenVectors,
    {
      path: ['inputs'],
      error: `texts of about ${mostTokenVectors} tokens in all, for each token has a vector (or more with a pooling in the options)`,
    },
  ),
  variant(['summarization'], { input: text, options: generate }),
  variant(['translation'], { input: text, options: z.strictObject({ ...generation, ...languages }).optional() }),
  variant(['text2text-generation'], { input: text, options: generate }),
  variant(['text-generation'], {
    input: textOrChat,
    options: z
      .strictObject({
        ...generation,
        return_full_text: z
          .boolean()
          .optional()
          .meta({ description: 'Whether the text that was given stands before what was written; default true.' }),
        add_special_tokens: z
          .boolean()
          .optional()
          .meta({ description: 'Whether the text gets the marks that the tokenizer puts around texts.' }),
      })
      .optional(),
  }),
] as const;

const names = variants.flatMap(({ shape }) => shape.pipeline.options);

/** The input of `inference.pipeline`; what `inputs` and `options` may be follows from `pipeline`. */
export const pipelineInput = z.discriminatedUnion('pipeline', variants, {
  error: `one of ${names.join(', ')}`,
});

export type PipelineTask = z.infer<typeof pipelineInput>;
/** One input of a pipeline: a text, a question with its context, or a conversation. */
export type PipelineInput = PipelineTask['inputs'][number];
export type PipelineOptions = NonNullable<PipelineTask['options']>;

const aliases = {
  'sentiment-analysis': 'text-classification',
  ner: 'token-classification',
  embeddings: 'feature-extraction',
} as const;

/** The pipelines by their one name. */
export type PipelineName = Exclude<PipelineTask['pipeline'], keyof typeof aliases>;

/** The one name of a pipeline that has several. */
export function pipelineName(pipeline: PipelineTask['pipeline']): PipelineName {
  return pipeline in aliases ? aliases[pipeline as keyof typeof aliases] : (pipeline as PipelineName);
}
