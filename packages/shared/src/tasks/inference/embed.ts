import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { estimateTokens } from '../estimate-tokens.ts';
import { vectorRows } from '../vectors.ts';

/** The model that comes with Millrace; its folder below MODELS_DIR. */
export const bundledModel = 'all-MiniLM-L6-v2';

/** Tokens of a text that an embedding model reads unless its folder says otherwise; what is longer is cut and says so. */
export const embeddingTokenLimit = 256;

/** A text's vector of float32 (384 numbers of the bundled model), its count of tokens and its share of the JSON. */
const bytesPerVector = 1536 + 100;

/** A model is a folder below MODELS_DIR, never a path out of it. */
const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)?$/, {
    error: 'a model name such as all-MiniLM-L6-v2 or org/name',
  })
  .max(128);

const textToEmbed = z.string().refine((text) => text.trim() !== '', { error: 'a text that is not empty' });

const embedInput = z.strictObject({
  texts: z.array(textToEmbed).min(1).meta({ description: 'The texts, each embedded by itself.' }),
  model: modelName.optional().meta({ description: `A folder below MODELS_DIR; default ${bundledModel}.` }),
  normalize: z.boolean().optional().meta({ description: 'Scale each vector to length 1; default true.' }),
});
type EmbedInput = z.infer<typeof embedInput>;

const embedOutput = z.object({
  embeddings: vectorRows,
  model: z.string(),
  fingerprint: z.string().meta({ description: 'Changes whenever the same text could give another vector.' }),
  dimensions: z.int(),
  tokens: z.array(z.int()).meta({ description: 'Tokens of each text, before it was cut.' }),
  truncated: z.array(z.boolean()).meta({ description: 'Whether the text was longer than the model reads.' }),
});

/** One text on its way through a lane. */
export interface EmbedItem {
  readonly text: string;
  readonly model: string;
  readonly normalize: boolean;
}

/** What a lane makes of one text. */
export interface EmbedValue {
  readonly vector: Float32Array;
  readonly tokens: number;
  readonly truncated: boolean;
  readonly model: string;
  readonly fingerprint: string;
}

export const embed = defineTaskType({
  type: 'inference.embed',
  family: 'inference',
  description: 'Sentence embeddings: one vector per text, the same for the same text whatever shares its batch.',
  input: embedInput,
  output: embedOutput,
  vectors: 'embeddings',
  example: { texts: ['The wheel turns as long as the water runs.'] },
  items: ({ texts, model = bundledModel, normalize = true }: EmbedInput): EmbedItem[] =>
    texts.map((text) => ({ text, model, normalize })),
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
  batchKey: ({ model }) => model,
  model: ({ model = bundledModel }) => model,
  cost: ({ text }) => estimateTokens(text, embeddingTokenLimit),
  resultBytes: ({ texts }) => texts.length * bytesPerVector + endedTaskBytes,
});
