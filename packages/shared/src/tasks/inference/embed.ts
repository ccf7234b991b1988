import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { estimateTokens } from '../estimate-tokens.ts';
import type { ValueKeeping } from '../value-keeping.ts';
import { vectorRows } from '../vectors.ts';
import { packEmbedding, unpackEmbedding } from './embedding-bytes.ts';
import { modelName } from './model-name.ts';

/** The model that comes with Millrace; its folder below MODELS_DIR. */
export const bundledModel = 'all-MiniLM-L6-v2';

/** Tokens of a text that an embedding model reads unless its folder says otherwise; what is longer is cut and says so. */
export const embeddingTokenLimit = 256;

/** The longest texts that other models than the bundled one are expected to read, in tokens; their folder has the limit. */
const longestTokenLimit = 8192;

/** Numbers in a vector: of the bundled model, and as many as others have at most as a rule. */
const bundledDimensions = 384;
const otherDimensions = 1024;

/** A text's count of tokens and its share of the JSON, beside its vector of float32. */
const bytesPerText = 100;

/** What a text is for: a model may want queries and documents told apart, by what its folder puts in front of them. */
const purposes = ['query', 'document'] as const;
export type Purpose = (typeof purposes)[number];

const textToEmbed = z.string().refine((text) => text.trim() !== '', { error: 'a text that is not empty' });

const embedInput = z.strictObject({
  texts: z.array(textToEmbed).min(1).meta({ description: 'The texts, each embedded by itself.' }),
  model: modelName.optional().meta({ description: `A folder below MODELS_DIR; default ${bundledModel}.` }),
  normalize: z.boolean().optional().meta({
    description: "Scale each vector to length 1; default: as the model's folder says, true for the bundled one.",
  }),
  purpose: z
    .enum(purposes)
    .optional()
    .meta({ description: "What the texts are for: the model's prefix for it is put in front, if it has one." }),
});
type EmbedInput = z.infer<typeof embedInput>;

const embedOutput = z.object({
  embeddings: vectorRows,
  model: z.string(),
  fingerprint: z
    .string()
    .meta({ description: 'Changes whenever the same text, for the same purpose, could give another vector.' }),
  dimensions: z.int(),
  tokens: z.array(z.int()).meta({ description: 'Tokens of each text with its prefix, before it was cut.' }),
  truncated: z.array(z.boolean()).meta({ description: 'Whether the text was longer than the model reads.' }),
});

/** One text on its way through a lane. */
export interface EmbedItem {
  readonly text: string;
  readonly model: string;
  /** Undefined: as the model's folder says. */
  readonly normalize: boolean | undefined;
  readonly purpose: Purpose | undefined;
}

/** What a lane makes of one text. */
export interface EmbedValue {
  readonly vector: Float32Array;
  readonly tokens: number;
  readonly truncated: boolean;
  readonly model: string;
  readonly fingerprint: string;
}

const keeping: ValueKeeping<EmbedItem, EmbedValue> = {
  // Whatever options an item has: all but the text.
  source: ({ text: _text, ...options }) => JSON.stringify(options),
  fingerprint: ({ fingerprint }) => fingerprint,
  pack: packEmbedding,
  unpack: (bytes, { model }, fingerprint) => {
    const embedding = unpackEmbedding(bytes);
    return embedding === undefined ? undefined : { ...embedding, model, fingerprint };
  },
};

export const embed = defineTaskType({
  type: 'inference.embed',
  family: 'inference',
  description: 'Sentence embeddings: one vector per text, the same for the same text whatever shares its batch.',
  input: embedInput,
  output: embedOutput,
  vectors: 'embeddings',
  example: { texts: ['The wheel turns as long as the water runs.'] },
  items: ({ texts, model = bundledModel, normalize, purpose }: EmbedInput): EmbedItem[] =>
    texts.map((text) => ({ text, model, normalize, purpose })),
  join(values: readonly EmbedValue[]) {
    const [first] = values;
    if (first === undefined) throw new Error('inference.embed: a task has at least one text');
    return {
      embeddings: values.map(({ vector }) => vector),
      model: first.model,
      fingerprint: first.fingerprint,
      dimensions: first.vector.length,
      tokens: values.map(({ tokens }) => tokens),
      truncated: values.map(({ truncated }) => truncated),
    };
  },
  // Purpose and normalize are of each text by itself: they share a pass.
  batchKey: ({ model }) => model,
  identity: (item) => contentHash(item),
  keeping,
  model: ({ model = bundledModel }) => model,
  cost: ({ text, model }) => estimateTokens(text, model === bundledModel ? embeddingTokenLimit : longestTokenLimit),
  resultBytes: ({ texts, model = bundledModel }) => {
    const dimensions = model === bundledModel ? bundledDimensions : otherDimensions;
    return texts.length * (dimensions * Float32Array.BYTES_PER_ELEMENT + bytesPerText) + endedTaskBytes;
  },
});
