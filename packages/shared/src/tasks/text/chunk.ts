import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { bundledModel, embeddingTokenLimit } from '../inference/embed.ts';
import { modelName } from '../inference/model-name.ts';

/** Tokens of a chunk unless the task says: what the bundled model reads, so that no vector misses the end of its chunk. */
export const defaultMaxTokens = embeddingTokenLimit;

const chunkInput = z
  .strictObject({
    texts: z
      .array(z.string())
      .min(1)
      .meta({ description: 'The texts, each cut by itself; an empty one has no chunks.' }),
    maxTokens: z
      .int()
      .min(8)
      .max(8192)
      .optional()
      .meta({
        description: `Tokens of a chunk at most, those counted that the tokenizer puts around a text; default ${defaultMaxTokens}, or what the embedding model reads if that is less.`,
      }),
    overlapTokens: z.int().min(0).max(4096).optional().meta({
      description:
        'A chunk begins with so many tokens of the one before at most, from a sentence or a word on; less than half of maxTokens, default 0.',
    }),
    model: modelName
      .optional()
      .meta({ description: `Whose tokenizer counts: a folder below MODELS_DIR; default ${bundledModel}.` }),
  })
  .refine(({ maxTokens = defaultMaxTokens, overlapTokens = 0 }) => overlapTokens * 2 < maxTokens, {
    path: ['overlapTokens'],
    error: ({ input }) => {
      const maxTokens = (input as { maxTokens?: number }).maxTokens ?? defaultMaxTokens;
      return `less than half of maxTokens, which is ${maxTokens}`;
    },
  });
type ChunkInput = z.infer<typeof chunkInput>;

const chunkSchema = z.object({
  id: z.string().meta({
    description:
      'Made of the text of the chunk, the tokenizer, and how many chunks of the same text are before it in its document: what an edit leaves alone keeps its id.',
  }),
  text: z.string(),
  start: z
    .int()
    .meta({ description: 'Where it begins in the text, in UTF-16 units: text.slice(start, end) is the chunk.' }),
  end: z.int(),
  tokens: z.int().meta({
    description:
      'As the model counts them, with those around the text. More than maxTokens only where one character (a grapheme) alone has more.',
  }),
});
/** A piece of a text. */
export type Chunk = z.infer<typeof chunkSchema>;

/** One text on its way through the text lane. */
export interface ChunkItem {
  readonly text: string;
  readonly model: string;
  /** Undefined: the default, or what the model reads if that is less. */
  readonly maxTokens: number | undefined;
  readonly overlapTokens: number;
}

/** What a lane makes of one text. */
export interface ChunkValue {
  readonly chunks: readonly Chunk[];
  readonly model: string;
  /** Of the tokenizer's files. */
  readonly tokenizer: string;
}

const chunkOutput = z.object({
  chunks: z.array(z.array(chunkSchema)).meta({ description: 'The chunks of each text, in order.' }),
  model: z.string(),
  tokenizer: z.string().meta({ description: "A hash of the tokenizer's files: with another one all ids differ." }),
});
export type ChunkOutput = z.infer<typeof chunkOutput>;

/** A chunk's JSON beside its text: id, offsets, count, names; in bytes. */
const bytesPerChunk = 120;
/** How full chunks are on average: measured 0.7. */
const fill = 0.65;
/** Bytes of UTF-8 that a token has at the least: 3 to 5 in running text of any script, 1.5 in base64. */
const bytesPerToken = 2;

export const chunk = defineTaskType({
  type: 'text.chunk',
  family: 'text',
  description:
    'Cuts texts into chunks that a model reads whole: at the end of a paragraph if one fits, else of a sentence, else of a word. An edit changes the chunks around it alone.',
  input: chunkInput,
  output: chunkOutput,
  limits: { items: 256, bytes: 4 * 2 ** 20 },
  example: { texts: ['The wheel turns as long as the water runs.\n\nAt night it stands still.'], maxTokens: 16 },
  items: ({ texts, model = bundledModel, maxTokens, overlapTokens = 0 }: ChunkInput): ChunkItem[] =>
    texts.map((text) => ({ text, model, maxTokens, overlapTokens })),
  join(values: readonly ChunkValue[]): ChunkOutput {
    const [first] = values;
    if (first === undefined) throw new Error('text.chunk: a task has at least one text');
    return { chunks: values.map(({ chunks }) => [...chunks]), model: first.model, tokenizer: first.tokenizer };
  },
  batchKey: ({ model }) => model,
  model: ({ model = bundledModel }) => model,
  cost: ({ text }) => text.length,
  resultBytes: ({ texts, maxTokens = defaultMaxTokens, overlapTokens = 0 }, inputBytes) => {
    const usual = (maxTokens - overlapTokens) * fill;
    const chunks = texts.length + inputBytes / bytesPerToken / usual;
    return Math.ceil(inputBytes * (1 + overlapTokens / usual) + chunks * bytesPerChunk) + endedTaskBytes;
  },
});
