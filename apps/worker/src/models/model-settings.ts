import { embeddingTokenLimit, type Purpose } from '@millrace/shared/tasks/inference/embed';
import { z } from 'zod';
import type { JsonFolder } from './json-folder.ts';
import { readSentenceSettings } from './sentence-settings.ts';
import { dtypes } from './weights.ts';

/** How the vectors of a text's tokens become one; `model`: the network does it itself and gives `sentence_embedding`. */
const poolings = ['mean', 'cls', 'max', 'last', 'model'] as const;
export type Pooling = (typeof poolings)[number];

/** What a model's folder says of how it is to be used. */
export interface ModelSettings {
  readonly pooling: Pooling;
  /** Whether vectors are scaled to length 1 unless the task says. */
  readonly normalize: boolean;
  /**
   * Tokens that the model reads of a text to embed, of a text or a pair to classify, and of an input of a pipeline; Infinity for
   * the last when nothing bounds them.
   */
  readonly tokenLimits: Readonly<Record<'embed' | 'classify' | 'pipeline', number>>;
  /** What is put in front of a text, by what it is for. */
  readonly prefixes: Readonly<Record<Purpose, string>>;
}

/** millrace.json in a model's folder: all of it optional, and it wins over every other file. */
const ownSettings = z.strictObject({
  pooling: z.enum(poolings).optional(),
  normalize: z.boolean().optional(),
  tokenLimit: z.int().min(4).max(1_048_576).optional(),
  prefixes: z.strictObject({ query: z.string().optional(), document: z.string().optional() }).optional(),
  /** Which of the ONNX files is loaded. */
  dtype: z.enum(dtypes).optional(),
  /** Whether several texts may share a forward pass; left out, unless the file quantizes a batch's activations together. */
  batches: z.boolean().optional(),
});
export type OwnSettings = z.infer<typeof ownSettings>;

/** Tokens of a text to classify, where neither the folder nor the network's positions bound them. */
const classifyTokenLimit = 512;

const configSchema = z.looseObject({
  model_type: z.string().optional(),
  max_position_embeddings: z.int().positive().optional(),
  n_positions: z.int().positive().optional(),
  pad_token_id: z.int().nullish(),
});

const tokenizerSchema = z.looseObject({ model_max_length: z.number().positive().optional() });

/** Reads millrace.json; empty when there is none. @throws MillraceError MODEL_NOT_AVAILABLE. */
export async function readOwnSettings(folder: JsonFolder): Promise<OwnSettings> {
  return (await folder.read('millrace.json', ownSettings)) ?? {};
}

/**
 * Pooling, normalization, limits and prefixes: of millrace.json, else of sentence-transformers' files, else the usual ones.
 * @throws MillraceError MODEL_NOT_AVAILABLE when the files name what Millrace does not do.
 */
export async function readModelSettings(folder: JsonFolder, own: OwnSettings): Promise<ModelSettings> {
  const sentence = await readSentenceSettings(folder, own.pooling === undefined);
  const longest = Math.min(await positions(folder), await tokenizerLimit(folder));
  const limit = own.tokenLimit ?? sentence.tokenLimit;
  return {
    pooling: own.pooling ?? sentence.pooling ?? 'mean',
    normalize: own.normalize ?? sentence.normalize ?? true,
    tokenLimits: {
      embed: Math.min(limit ?? embeddingTokenLimit, longest),
      classify: Math.min(limit ?? classifyTokenLimit, longest),
      pipeline: Math.min(own.tokenLimit ?? Number.POSITIVE_INFINITY, longest),
    },
    prefixes: {
      query: own.prefixes?.query ?? sentence.prefixes.query,
      document: own.prefixes?.document ?? sentence.prefixes.document,
    },
  };
}

/** Networks of RoBERTa's kind count positions from behind the padding token's id. */
const offsetTypes = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet', 'longformer']);

/** Tokens that the network has positions for. */
async function positions(folder: JsonFolder): Promise<number> {
  const config = await folder.read('config.json', configSchema);
  const count = config?.max_position_embeddings ?? config?.n_positions ?? Number.POSITIVE_INFINITY;
  return offsetTypes.has(config?.model_type ?? '') ? count - (config?.pad_token_id ?? 1) - 1 : count;
}

async function tokenizerLimit(folder: JsonFolder): Promise<number> {
  const config = await folder.read('tokenizer_config.json', tokenizerSchema);
  return config?.model_max_length ?? Number.POSITIVE_INFINITY;
}
