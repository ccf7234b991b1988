import { z } from 'zod';
import { contentHash } from '../content-hash.ts';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import { bundledModel } from './embed.ts';
import { estimateRead, givenText } from './given-text.ts';
import { modelName } from './model-name.ts';

/** A document's share of the result's JSON, without its text, in bytes. */
const bytesPerResult = 90;

const rerankInput = z.strictObject({
  query: givenText.meta({ description: 'What the documents are to answer.' }),
  documents: z.array(givenText).min(1).meta({ description: 'The documents, each scored by itself.' }),
  topK: z.int().min(1).optional().meta({ description: 'How many documents to give, best first; default all.' }),
  model: modelName.optional().meta({
    description: `An embedding model or a cross-encoder, a folder below MODELS_DIR; default ${bundledModel}.`,
  }),
  withDocuments: z.boolean().optional().meta({ description: 'Give the texts of the documents too; default false.' }),
});
type RerankInput = z.infer<typeof rerankInput>;

const methods = ['cosine', 'cross-encoder'] as const;

const rerankOutput = z.object({
  results: z
    .array(
      z.object({
        index: z.int().meta({ description: 'The place of the document in `documents`.' }),
        score: z.number().meta({ description: 'cosine: from -1 to 1; cross-encoder: from 0 to 1.' }),
        tokens: z.int().meta({ description: 'Tokens of the document, or of the pair, before it was cut.' }),
        truncated: z
          .boolean()
          .meta({ description: 'Whether the document, or the pair, was longer than the model reads.' }),
        document: z.string().optional().meta({ description: 'With withDocuments alone.' }),
      }),
    )
    .meta({ description: 'Best first; equal scores in the order of `documents`.' }),
  method: z.enum(methods).meta({
    description: 'cosine: of the embeddings of query and document; cross-encoder: a model that reads both at once.',
  }),
  model: z.string(),
  fingerprint: z
    .string()
    .meta({ description: 'Of the model: changes whenever the same pair could give another score.' }),
  queryTruncated: z.boolean().meta({
    description:
      'Whether the query was longer than the model reads; with a cross-encoder `truncated` of the pairs says it.',
  }),
});

/** The question of a task. Its items share one object, and so does a message that carries them to a lane. */
export interface RerankQuery {
  /** The same queries have the same. */
  readonly key: string;
  readonly text: string;
}

/** One document on its way through a lane. */
export interface RerankItem {
  readonly query: RerankQuery;
  readonly document: string;
  readonly model: string;
}

/** What scored a document; the values of a call share it. */
export interface RerankedBy {
  readonly method: (typeof methods)[number];
  readonly model: string;
  readonly fingerprint: string;
  readonly queryTruncated: boolean;
}

/** What a lane makes of one document. */
export interface RerankValue {
  readonly score: number;
  readonly tokens: number;
  readonly truncated: boolean;
  readonly by: RerankedBy;
}

export const rerank = defineTaskType({
  type: 'inference.rerank',
  family: 'inference',
  description: 'Documents by how well each answers a query, best first: by embeddings, or by a cross-encoder.',
  input: rerankInput,
  output: rerankOutput,
  example: {
    query: 'What drives the wheel?',
    documents: ['The miller sleeps at noon.', 'Water from the race turns the wheel.'],
  },
  items: ({ query, documents, model = bundledModel }: RerankInput): RerankItem[] => {
    const shared = { key: contentHash({ query }), text: query };
    return documents.map((document) => ({ query: shared, document, model }));
  },
  join(values: readonly RerankValue[], { documents, topK, withDocuments = false }) {
    const [first] = values;
    if (first === undefined) throw new Error('inference.rerank: a task has at least one document');
    const scored = values.map(({ score, tokens, truncated }, index) => ({ index, score, tokens, truncated }));
    // Sorting is stable: equal scores stay in the order of the documents.
    const best = scored.sort((a, b) => b.score - a.score).slice(0, topK);
    const results = withDocuments ? best.map((one) => ({ ...one, document: documents[one.index] ?? '' })) : best;
    return { results, ...first.by };
  },
  batchKey: ({ model }) => model,
  identity: ({ query, ...item }) => contentHash({ ...item, query: query.key }),
  model: ({ model = bundledModel }) => model,
  // Another model may be a cross-encoder, which reads the query with every document.
  cost: ({ query, document, model }) =>
    estimateRead(document, model) + (model === bundledModel ? 0 : estimateRead(query.text, model)),
  resultBytes: ({ documents, topK = documents.length, withDocuments = false }, inputBytes) =>
    Math.min(topK, documents.length) * bytesPerResult + (withDocuments ? inputBytes : 0) + endedTaskBytes,
});
