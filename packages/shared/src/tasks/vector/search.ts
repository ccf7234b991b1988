import { z } from 'zod';
import { defineTaskType, endedTaskBytes } from '../define-task-type.ts';
import type { Preparation, PreparationFacts } from '../preparation.ts';
import { collectionName } from './collection.ts';
import { embedFirst } from './embed-first.ts';
import { type Filter, filterSchema } from './filter.ts';
import { metadataSchema } from './metadata.ts';
import { toFloat32, vectorValue } from './vector-value.ts';

/** Points that one task may ask for, queries times topK: their metadata, and vectors, go through memory as one answer. */
const mostHits = 25_600;
const mostHitsWithVectors = 5_120;

const searchInput = z
  .strictObject({
    collection: collectionName,
    vectors: z.array(vectorValue).min(1).optional().meta({ description: 'The queries, each searched by itself.' }),
    texts: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .meta({ description: "Instead: embedded by the collection's model." }),
    topK: z.int().min(1).max(1000).meta({ description: 'Points per query; fewer only when fewer match.' }),
    filter: filterSchema.optional(),
    exact: z.boolean().optional().meta({
      description:
        'true: compare with every match; false: by the index, where that is faster; left out, as the planner finds best.',
    }),
    atLeastVersion: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'A version to see; left out, all that was written when the search begins.' }),
    withVectors: z.boolean().optional().meta({ description: 'Give the vector of each point; default false.' }),
    fingerprint: z.string().max(64).optional().meta({ description: 'Of the model that made the vectors.' }),
  })
  .refine(({ vectors, texts }) => (vectors === undefined) !== (texts === undefined), {
    error: 'either vectors or texts',
  })
  .superRefine(({ vectors, texts, topK, withVectors = false }, context) => {
    const most = withVectors ? mostHitsWithVectors : mostHits;
    const queries = (vectors ?? texts ?? []).length;
    if (queries * topK <= most) return;
    const message = `at most ${most} points in all, queries times topK${withVectors ? ', with their vectors' : ''}`;
    context.addIssue({ code: 'custom', path: ['topK'], message });
  });
type SearchInput = z.infer<typeof searchInput>;

const hit = z.object({
  id: z.string(),
  score: z
    .number()
    .meta({ description: 'cosine and dot: the inner product, more is nearer; l2: the distance, less is nearer.' }),
  metadata: metadataSchema.nullable(),
  vector: z.array(z.number()).optional(),
});

const found = z.object({
  hits: z.array(hit).meta({ description: 'Nearest first.' }),
  exact: z.boolean().meta({ description: 'Whether every point that matches was compared.' }),
  version: z.int().meta({ description: 'The version of the collection that was searched.' }),
});

export type Hit = z.infer<typeof hit>;

/** What a lane makes of one query. */
export type Found = z.infer<typeof found>;

/** One query on its way through a lane; the queries of a task share `ask`. */
export interface SearchItem {
  readonly collection: string;
  readonly vector: Float32Array;
  readonly ask: SearchAsk;
}

export interface SearchAsk {
  readonly topK: number;
  readonly filter: Filter | undefined;
  readonly exact: boolean | undefined;
  readonly atLeastVersion: number | undefined;
  readonly withVectors: boolean;
  readonly fingerprint: string | undefined;
}

/** Bytes of a hit in a result: about. */
const hitBytes = 300;
const vectorBytes = 8000;

export const search = defineTaskType({
  type: 'vector.search',
  family: 'vector',
  description: 'The nearest points to each query, among those that a filter matches.',
  input: searchInput,
  output: z.object({ results: z.array(found).meta({ description: 'One per query, in order.' }) }),
  limits: { items: 256, bytes: 4 * 2 ** 20 },
  example: { collection: 'books', texts: ['Who lives in Baker Street?'], topK: 3 },
  size: ({ vectors, texts }: SearchInput) => (vectors ?? texts ?? []).length,
  collection: ({ collection, vectors = [], fingerprint }: SearchInput) => ({
    name: collection,
    fingerprint,
    vectors: vectors.map((value, index) => ({ path: `input.vectors[${index}]`, value })),
  }),
  prepare({ texts, ...input }: SearchInput, facts: PreparationFacts): Preparation<SearchInput> {
    if (texts === undefined) return { ready: true, input };
    const embedded = embedFirst({ texts, purpose: 'query', fingerprint: input.fingerprint }, facts);
    return embedded.children === undefined
      ? { ready: true, input: { ...input, vectors: [...embedded.vectors], fingerprint: embedded.fingerprint } }
      : { ready: false, children: embedded.children };
  },
  items({
    collection,
    vectors = [],
    topK,
    filter,
    exact,
    atLeastVersion,
    withVectors = false,
    fingerprint,
  }: SearchInput): SearchItem[] {
    const ask = { topK, filter, exact, atLeastVersion, withVectors, fingerprint };
    return vectors.map((value) => {
      const vector = toFloat32(value);
      if (vector === undefined) throw new Error('vector.search: a vector that passed no door');
      return { collection, vector, ask };
    });
  },
  join: (results: readonly Found[]) => ({ results: [...results] }),
  batchKey: ({ collection }) => collection,
  cost: () => 1,
  resultBytes: ({ vectors, texts, topK, withVectors = false }) =>
    (vectors ?? texts ?? []).length * topK * (hitBytes + (withVectors ? vectorBytes : 0)) + endedTaskBytes,
});
