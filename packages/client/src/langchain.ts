import { Document, type DocumentInterface } from '@langchain/core/documents';
import { Embeddings, type EmbeddingsInterface } from '@langchain/core/embeddings';
import { maximalMarginalRelevance } from '@langchain/core/utils/math';
import { type MaxMarginalRelevanceSearchOptions, VectorStore } from '@langchain/core/vectorstores';
import { MillraceError } from '@millrace/shared/errors';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import type { Filter } from '@millrace/shared/tasks/vector/filter';
import type { Millrace } from './client.ts';
import type { EmbedOptions } from './embed.ts';
import { checkLength, DocumentCollection, type DocumentCollectionConfig } from './langchain/document-collection.ts';
import { defaultWaitMs } from './map-run.ts';

export type { DocumentCollectionConfig as MillraceVectorStoreConfig } from './langchain/document-collection.ts';

/** How texts are embedded: a mill, and the options of `embed`. */
export interface MillraceEmbeddingsParams extends Omit<EmbedOptions, 'signal' | 'purpose' | 'normalize'> {
  readonly mill: Millrace;
}

/**
 * A mill as embeddings of LangChain. Queries go with priority `high` unless `priority` says otherwise. What is tried again, and how
 * often, is for Millrace to say (`attempts`, `waitForRoomMs`): LangChain's own retries are not used. Rejects as `embed` does.
 */
export class MillraceEmbeddings extends Embeddings {
  readonly mill: Millrace;
  readonly model: string | undefined;
  private readonly options: EmbedOptions;

  constructor({ mill, ...options }: MillraceEmbeddingsParams) {
    super({});
    this.mill = mill;
    this.model = options.model;
    this.options = options;
  }

  /** A vector for each text, in order, with the purpose `document`. @throws MillraceError as `Millrace.embed`. */
  override async embedDocuments(texts: string[]): Promise<number[][]> {
    const vectors = await this.mill.embed(texts, { ...this.options, purpose: 'document' });
    return vectors.map((vector) => Array.from(vector));
  }

  /** The vector of a question, with the purpose `query`. @throws MillraceError as `Millrace.embed`. */
  override async embedQuery(text: string): Promise<number[]> {
    const [vector] = await this.mill.embed([text], { priority: 'high', ...this.options, purpose: 'query' });
    return Array.from(vector ?? []);
  }
}

/** Which ids documents get: as many as there are documents. */
export interface AddOptions {
  readonly ids?: string[];
}

/** What is deleted: one of the two. */
export interface DeleteParams {
  readonly ids?: readonly string[];
  /** All that it matches: an empty one is everything. */
  readonly filter?: Filter;
}

/**
 * A collection of a mill as vector store of LangChain. A document is a point: filters look at its metadata, and its text lies there
 * too. With MillraceEmbeddings of the same mill texts are sent as they are and become vectors at the workers, by the model of the
 * collection; other embeddings are asked for vectors. Scores are cosines: more is nearer. Every method rejects with MillraceError.
 */
export class MillraceVectorStore extends VectorStore {
  declare FilterType: Filter;
  private readonly documents: DocumentCollection;
  /** Set when texts may be sent in place of vectors. */
  private readonly own: MillraceEmbeddings | undefined;

  constructor(embeddings: EmbeddingsInterface, config: DocumentCollectionConfig) {
    super(embeddings, config);
    this.documents = new DocumentCollection({ textKey: 'text', waitMs: defaultWaitMs, ...config });
    this.own = embeddings instanceof MillraceEmbeddings && embeddings.mill === config.mill ? embeddings : undefined;
  }

  override _vectorstoreType(): string {
    return 'millrace';
  }

  /** A store with these texts in it; metadata for each, or one for all. @throws MillraceError as `addDocuments`. */
  static override async fromTexts(
    texts: string[],
    metadatas: object[] | object,
    embeddings: EmbeddingsInterface,
    config: DocumentCollectionConfig,
  ): Promise<MillraceVectorStore> {
    if (Array.isArray(metadatas)) checkLength('metadatas', metadatas, texts);
    const documents = texts.map((pageContent, index) => {
      return new Document({ pageContent, metadata: Array.isArray(metadatas) ? metadatas[index] : metadatas });
    });
    return await MillraceVectorStore.fromDocuments(documents, embeddings, config);
  }

  /** A store with these documents in it. @throws MillraceError as `addDocuments`. */
  static override async fromDocuments(
    documents: DocumentInterface[],
    embeddings: EmbeddingsInterface,
    config: DocumentCollectionConfig,
  ): Promise<MillraceVectorStore> {
    const store = new MillraceVectorStore(embeddings, config);
    await store.addDocuments(documents);
    return store;
  }

  /**
   * Writes documents, and gives their ids: those of the options, else their own, else new ones. An id that is there is replaced; of
   * the same id twice the last counts. After an error some may be written; with ids the same call again does no harm.
   * @throws MillraceError INVALID_INPUT; COLLECTION_DIFFERS, when the collection is of another model; COLLECTION_MISMATCH.
   */
  override async addDocuments(documents: DocumentInterface[], { ids }: AddOptions = {}): Promise<string[]> {
    const texts = documents.map(({ pageContent }) => pageContent);
    const [first] = texts;
    if (first === undefined) return [];
    const { own } = this;
    if (own === undefined) {
      return await this.addVectors(await this.embeddings.embedDocuments(texts), documents, ids && { ids });
    }
    const points = this.documents.pointsOf(documents, ids);
    const { model } = await this.documents.opened(() => own.embedQuery(first), own.model);
    checkModel(own.model, model);
    return await this.documents.write(points.map((point, index) => ({ ...point, text: texts[index] ?? '' })));
  }

  /** Writes documents whose vectors are there already; as `addDocuments`. */
  override async addVectors(
    vectors: number[][],
    documents: DocumentInterface[],
    { ids }: AddOptions = {},
  ): Promise<string[]> {
    checkLength('vectors', vectors, documents);
    const [first] = vectors;
    if (first === undefined) return [];
    const points = this.documents.pointsOf(documents, ids);
    await this.documents.opened(() => first, this.own?.model);
    return await this.documents.write(points.map((point, index) => ({ ...point, vector: base64(vectors[index]) })));
  }

  /** Ids that are not there are passed over. @throws MillraceError COLLECTION_NOT_FOUND, INVALID_INPUT. */
  override async delete({ ids, filter }: DeleteParams = {}): Promise<void> {
    if (ids !== undefined && filter === undefined) await this.documents.deleteIds(ids);
    else if (filter !== undefined && ids === undefined) await this.documents.deleteMatches(filter);
    else throw new MillraceError('INVALID_INPUT', 'delete takes either ids or a filter.');
  }

  /** The documents nearest to a text. @throws MillraceError as `similaritySearchVectorWithScore`. */
  override async similaritySearch(query: string, k = 4, filter?: Filter): Promise<Document[]> {
    const found = await this.similaritySearchWithScore(query, k, filter);
    return found.map(([document]) => document);
  }

  /** The same with the cosine of each. */
  override async similaritySearchWithScore(query: string, k = 4, filter?: Filter): Promise<[Document, number][]> {
    if (this.own === undefined) {
      return await this.similaritySearchVectorWithScore(await this.embeddings.embedQuery(query), k, filter);
    }
    const hits = await this.documents.hits({ texts: [query], topK: k, filter });
    return hits.map((hit) => [this.documents.documentOf(hit), hit.score]);
  }

  /** The documents nearest to a vector, and the cosine of each; 1 to 1,000. @throws MillraceError COLLECTION_NOT_FOUND, COLLECTION_MISMATCH. */
  override async similaritySearchVectorWithScore(
    query: number[],
    k: number,
    filter?: Filter,
  ): Promise<[Document, number][]> {
    const hits = await this.documents.hits({ vectors: [query], topK: k, filter });
    return hits.map((hit) => [this.documents.documentOf(hit), hit.score]);
  }

  /** Of the `fetchK` (default 20) nearest those that are near, and unlike each other: `lambda` 1 looks at near alone, default 0.5. */
  override async maxMarginalRelevanceSearch(
    query: string,
    { k, fetchK = 20, lambda = 0.5, filter }: MaxMarginalRelevanceSearchOptions<Filter>,
  ): Promise<Document[]> {
    const wanted = await this.embeddings.embedQuery(query);
    const ask = { vectors: [wanted], topK: Math.max(k, fetchK), withVectors: true, filter };
    const hits = await this.documents.hits(ask);
    const vectors = hits.map(({ vector = [] }) => vector);
    const chosen = maximalMarginalRelevance(wanted, vectors, lambda, k);
    return chosen.flatMap((index) => hits.slice(index, index + 1)).map((hit) => this.documents.documentOf(hit));
  }
}

function checkModel(wanted = bundledModel, model: string | null): void {
  const is = model ?? bundledModel;
  if (is === wanted) return;
  const detail = `The collection is of the model ${is}, and the embeddings are of ${wanted}.`;
  throw new MillraceError('COLLECTION_DIFFERS', detail);
}

function base64(vector: readonly number[] = []): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}
