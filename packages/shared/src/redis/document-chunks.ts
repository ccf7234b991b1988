import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** Its writer's; once another has taken it over, nothing of this one is written any more. */
  readonly ticket: string;
  /** Chunks that it had, or that a writer that broke off may have written, and that it will not have. */
  readonly outdated: readonly string[];
}

/** A document to write: the chunks that it will have, and the lock of the task. */
interface DocumentToOpen {
  readonly id: string;
  readonly chunkIds: readonly string[];
  readonly fence: Fence | undefined;
}

/** A writer that has a document for longer is taken for dead; a document takes milliseconds. */
const longestWriteMs = 5000;
const lookEveryMs = 25;
/** So long one waits for others that write the same document, one after the other; ms. */
const patienceMs = 30_000;

const takeDocument = new Script('take-document');
const noteChunks = new Script('note-chunks', { beyondLimit: true });

/**
 * Which chunks each document of a collection has, and who writes it: one after the other, so that in the end the chunks of the
 * last one are there, all of them and none of the others'.
 */
export class DocumentChunks {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /**
   * Waits until nobody else writes a document, and notes the chunks that it will have before any is written: whatever becomes
   * of the writer, they are known.
   * @throws MillraceError COLLECTION_CHANGED, PROCESSOR_FAILED when the task is not this worker's any more.
   */
  async begin(collection: Collection, document: DocumentToOpen): Promise<OpenDocument> {
    const ticket = randomUUID();
    const known = await this.take(collection, { ...document, ticket });
    const wanted = new Set(document.chunkIds);
    const outdated = known.filter((chunk) => !wanted.has(chunk));
    const open = { id: document.id, ticket, outdated };
    await this.note(collection, open, { chunkIds: [...outdated, ...wanted], isWritten: false });
    return open;
  }

  /**
   * Notes the chunks that it has, after those that are outdated were deleted; others may write it then.
   * @throws MillraceError COLLECTION_CHANGED.
   */
  async end(collection: Collection, open: OpenDocument, chunkIds: readonly string[]): Promise<void> {
    await this.note(collection, open, { chunkIds, isWritten: true });
  }

  /** Gives the chunks that it has. */
  private async take(
    collection: Collection,
    { id, fence, ticket }: DocumentToOpen & { readonly ticket: string },
  ): Promise<string[]> {
    const keys = [...this.keysOf(collection), fence?.key ?? this.keys.collection(collection.name, 'meta')];
    const beganAt = performance.now();
    let other = { ticket: '', since: beganAt };
    while (performance.now() - beganAt < patienceMs) {
      const isDead = performance.now() - other.since > longestWriteMs;
      const args = [collection.generation, fence?.token ?? '', id, ticket, isDead ? other.ticket : ''];
      const [reply, text = ''] = (await takeDocument.run(this.redis, keys, args)) as [number, string?];
      if (versionOf([reply], collection, '') === 1) return text === '' ? [] : (JSON.parse(text) as string[]);
      if (text !== other.ticket) other = { ticket: text, since: performance.now() };
      await sleep(lookEveryMs);
    }
    throw new MillraceError('COLLECTION_CHANGED', `Document ${id} is being written by others again and again.`);
  }

  private async note(
    collection: Collection,
    { id, ticket }: OpenDocument,
    { chunkIds, isWritten }: { chunkIds: readonly string[]; isWritten: boolean },
  ): Promise<void> {
    const chunks = chunkIds.length === 0 ? '' : JSON.stringify(chunkIds);
    const args = [collection.generation, id, ticket, chunks, isWritten ? 1 : 0];
    versionOf([Number(await noteChunks.run(this.redis, this.keysOf(collection), args))], collection, '');
  }

  private keysOf({ name }: Collection): [meta: string, documents: string, tickets: string] {
    return [
      this.keys.collection(name, 'meta'),
      this.keys.collection(name, 'documents'),
      this.keys.collection(name, 'tickets'),
    ];
  }
}
