import { randomUUID } from 'node:crypto';
import { MillraceError } from '../errors.ts';
import type { Fence } from '../tasks/preparation.ts';
import type { Collection } from '../tasks/vector/collection.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { versionOf } from './points.ts';
import { Script } from './script.ts';

/** A document that is being written. */
export interface OpenDocument {
  readonly id: string;
  /** Its writer's; as soon as another begins to write it, nothing of this one is written any more. */
  readonly ticket: string;
  /** Chunks that it had, or that another writer may have written, and that it will not have. */
  readonly outdated: readonly string[];
}

/** How often a document is begun that others begin at the same time. */
const tries = 20;

const beginDocument = new Script('begin-document');
const endDocument = new Script('end-document', { beyondLimit: true });

/**
 * Which chunks each document of a collection has, and who may write it: the writer that began last, so that of several the
 * last one's chunks are there in the end, all of them and none of the others'.
 */
export class DocumentChunks {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * Takes a document over, and notes the chunks that it will have before any is written.
   * @throws MillraceError COLLECTION_CHANGED, PROCESSOR_FAILED when the task is not this worker's any more.
   */
  async begin(
    collection: Collection,
    { id, chunkIds, fence }: { id: string; chunkIds: readonly string[]; fence: Fence | undefined },
  ): Promise<OpenDocument> {
    const [meta, documents, tickets] = this.keysOf(collection);
    const wanted = new Set(chunkIds);
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const [known, before] = await Promise.all([this.redis.hget(documents, id), this.redis.hget(tickets, id)]);
      const outdated = (known === null ? [] : (JSON.parse(known) as string[])).filter((chunk) => !wanted.has(chunk));
      const ticket = randomUUID();
      const args = [fence?.token ?? '', id, before ?? '', ticket, JSON.stringify([...outdated, ...wanted])];
      const keys = [meta, documents, tickets, fence?.key ?? meta];
      const reply = await beginDocument.run(this.redis, keys, [collection.generation, ...args]);
      if (versionOf([Number(reply)], collection, '') === 1) return { id, ticket, outdated };
    }
    throw new MillraceError('COLLECTION_CHANGED', `Document ${id} is being written by others again and again.`);
  }

  /** Notes the chunks that it has, after those that are outdated were deleted. @throws MillraceError COLLECTION_CHANGED. @throws DocumentTaken. */
  async end(collection: Collection, { id, ticket }: OpenDocument, chunkIds: readonly string[]): Promise<void> {
    const chunks = chunkIds.length === 0 ? '' : JSON.stringify(chunkIds);
    const reply = await endDocument.run(this.redis, this.keysOf(collection), [
      collection.generation,
      id,
      ticket,
      chunks,
    ]);
    versionOf([Number(reply)], collection, '');
  }

  private keysOf({ name }: Collection): [meta: string, documents: string, tickets: string] {
    return [
      this.keys.collection(name, 'meta'),
      this.keys.collection(name, 'documents'),
      this.keys.collection(name, 'tickets'),
    ];
  }
}
