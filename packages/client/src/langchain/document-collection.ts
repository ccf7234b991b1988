import { randomUUID } from 'node:crypto';
import { Document, type DocumentInterface } from '@langchain/core/documents';
import { MillraceError } from '@millrace/shared/errors';
import type { CollectionView } from '@millrace/shared/tasks/vector/collection-view';
import type { Filter } from '@millrace/shared/tasks/vector/filter';
import type { Metadata } from '@millrace/shared/tasks/vector/metadata';
import type { Hit } from '@millrace/shared/tasks/vector/search';
import type { Millrace } from '../client.ts';
import type { InputOf, OutputOf } from '../known-types.ts';

/** Where documents are kept. */
export interface DocumentCollectionConfig {
  readonly mill: Millrace;
  /** A name of 1 to 64 letters, digits, _ and -. The first documents create the collection when it is missing. */
  readonly collection: string;
  /** The name in a point's metadata under which the text of the document is; default `text`, as `vector.documents` has it. */
  readonly textKey?: string;
  /** How long each task is waited for, and room for it, in ms; default 10 minutes. */
  readonly waitMs?: number;
}

type Search = InputOf<readonly [], 'vector.search'>;

/** A document's point, but for its vector or text. */
type BarePoint = { readonly id: string; readonly metadata: Metadata };
type Point = BarePoint & ({ readonly vector: string } | { readonly text: string });

/** Points in one task: as many as one task may embed. */
const pointsPerTask = 256;
/** JSON of the points in one task, in bytes: half of what a task may have. */
const bytesPerTask = 2 * 2 ** 20;
/** Tasks of one call under way at once: bounds what Redis holds. */
const tasksAtOnce = 8;
/** Ids that one task may delete. */
const idsPerTask = 1000;

/** Documents of LangChain as the points of a collection. Every method rejects with MillraceError as the tasks of collections do. */
export class DocumentCollection {
  private readonly config: Required<DocumentCollectionConfig>;

  constructor(config: Required<DocumentCollectionConfig>) {
    this.config = config;
  }

  /** The collection; when it is missing it is created, for vectors as long as the sample. */
  async opened(sample: () => readonly number[] | Promise<readonly number[]>, model?: string): Promise<CollectionView> {
    const { mill, collection } = this.config;
    try {
      return await mill.collection(collection);
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'COLLECTION_NOT_FOUND')) throw error;
    }
    const settings = { dimensions: (await sample()).length, metric: 'cosine' as const };
    return await mill.createCollection(collection, model === undefined ? settings : { ...settings, model });
  }

  /** The points of documents, with the ids that are given, else their own, else new ones. @throws MillraceError INVALID_INPUT. */
  pointsOf(documents: readonly DocumentInterface[], ids: readonly string[] | undefined): BarePoint[] {
    const { textKey } = this.config;
    if (ids !== undefined) checkLength('ids', ids, documents);
    return documents.map(({ id, pageContent, metadata = {} }, index) => {
      if (Object.hasOwn(metadata, textKey)) {
        const detail = `documents[${index}].metadata has ${textKey}, where the text goes: give the store another textKey.`;
        throw new MillraceError('INVALID_INPUT', detail);
      }
      // As JSON has it: loaders leave undefined and dates in metadata.
      const plain: Metadata = JSON.parse(JSON.stringify(metadata));
      return { id: ids?.[index] ?? id ?? randomUUID(), metadata: { ...plain, [textKey]: pageContent } };
    });
  }

  documentOf({ id, metadata }: Hit): Document {
    const { [this.config.textKey]: text, ...others } = metadata ?? {};
    return new Document({ id, pageContent: typeof text === 'string' ? text : '', metadata: others });
  }

  /** Writes points, of one id the last, and gives the ids. */
  async write(points: readonly Point[]): Promise<string[]> {
    const parts = [...partsOf(new Map(points.map((point) => [point.id, point])).values())];
    const { collection } = this.config;
    for (let start = 0; start < parts.length; start += tasksAtOnce) {
      const some = parts.slice(start, start + tasksAtOnce);
      await Promise.all(some.map((part) => this.run('vector.upsert', { collection, points: part })));
    }
    return points.map(({ id }) => id);
  }

  async deleteIds(ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += idsPerTask) {
      const some = ids.slice(start, start + idsPerTask);
      await this.run('vector.delete', { collection: this.config.collection, ids: some });
    }
  }

  async deleteMatches(filter: Filter): Promise<void> {
    await this.run('vector.delete', { collection: this.config.collection, filter });
  }

  /** The hits of one query. */
  async hits({
    filter,
    ...ask
  }: Omit<Search, 'collection' | 'filter'> & { filter: Filter | undefined }): Promise<Hit[]> {
    const input = { collection: this.config.collection, ...ask, ...(filter !== undefined && { filter }) };
    const { results } = await this.run('vector.search', input);
    return results[0]?.hits ?? [];
  }

  private async run<T extends 'vector.upsert' | 'vector.delete' | 'vector.search'>(
    type: T,
    input: InputOf<readonly [], T>,
  ): Promise<OutputOf<readonly [], T>> {
    const { mill, waitMs } = this.config;
    // Somebody waits for the answer of a search.
    const priority = type === 'vector.search' ? 'high' : 'normal';
    const task = await mill.enqueue(type, input, { priority, waitForRoomMs: waitMs });
    return await task.result({ timeoutMs: waitMs });
  }
}

/** @throws MillraceError INVALID_INPUT unless there is one for each document. */
export function checkLength(name: string, some: readonly unknown[], documents: readonly unknown[]): void {
  if (some.length === documents.length) return;
  throw new MillraceError('INVALID_INPUT', `There are ${some.length} ${name} for ${documents.length} documents.`);
}

function* partsOf(points: Iterable<Point>): Generator<Point[]> {
  let part: Point[] = [];
  let bytes = 0;
  for (const point of points) {
    const size = Buffer.byteLength(JSON.stringify(point));
    if (part.length === pointsPerTask || (part.length > 0 && bytes + size > bytesPerTask)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(point);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
