import type { RerankItem, RerankQuery, RerankValue } from '@millrace/shared/tasks/inference/rerank';
import { failed, type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import { LRUCache } from 'lru-cache';
import { type EmbeddedText, embedTexts } from './embed-texts.ts';
import type { PassCall } from './run-passes.ts';
import type { Embedder } from './runtime.ts';
import { dot, normalized } from './unit-vectors.ts';

/** Queries that a lane keeps the vectors of: a task of many documents comes in several calls. */
const keptQueries = 256;

/** Vectors of queries, at length 1, by model and query. */
export class QueryVectors extends LRUCache<string, EmbeddedText> {
  constructor() {
    super({ max: keptQueries });
  }
}

interface CosineCall {
  readonly call: PassCall;
  readonly queries: QueryVectors;
}

/** Scores documents by the cosine of their embedding and that of their query, which is computed once for all of them. */
export async function rerankByCosine(
  embedder: Embedder,
  items: readonly RerankItem[],
  { call, queries }: CosineCall,
): Promise<ItemOutcome<RerankValue>[]> {
  const fingerprint = embedder.fingerprint(true);
  const asked = new Map(items.map(({ query }): [string, RerankQuery] => [`${fingerprint} ${query.key}`, query]));
  const vectors = new Map<string, EmbeddedText>();
  for (const key of asked.keys()) {
    const known = queries.get(key);
    if (known !== undefined) vectors.set(key, known);
  }
  const unknown = [...asked].filter(([key]) => !vectors.has(key));
  const embedded = await embedTexts(
    embedder,
    [
      ...items.map(({ document }) => ({ text: document, purpose: 'document' as const })),
      ...unknown.map(([, { text }]) => ({ text, purpose: 'query' as const })),
    ],
    call,
  );
  unknown.forEach(([key], place) => {
    const read = embedded[items.length + place] as EmbeddedText;
    const query = { ...read, vector: normalized(read.vector) };
    vectors.set(key, query);
    queries.set(key, query);
  });
  return items.map(({ query }, index) => {
    const { vector, truncated: queryTruncated } = vectors.get(`${fingerprint} ${query.key}`) as EmbeddedText;
    const { vector: document, tokens, truncated } = embedded[index] as EmbeddedText;
    const cosine = dot(vector, normalized(document));
    if (!Number.isFinite(cosine)) return failed('PROCESSOR_FAILED', `${embedder.model} gave no vector for it.`);
    // Rounding may take it a hair beyond.
    const score = Math.min(1, Math.max(-1, cosine));
    const by = { method: 'cosine', model: embedder.model, fingerprint, queryTruncated } as const;
    return succeeded({ score, tokens, truncated, by });
  });
}
