import { MillraceError } from '@millrace/shared/errors';
import type { Fence } from '@millrace/shared/tasks/preparation';
import { defineProcessor } from '@millrace/shared/tasks/processor';
import type { CollectionState } from '@millrace/shared/tasks/vector/collection';
import { type ChunkedDocument, documents } from '@millrace/shared/tasks/vector/documents';
import { checkedWrites } from './upsert.ts';
import type { VectorSide } from './vector-side.ts';
import { writeEach } from './writing.ts';

/**
 * Writes the chunks of documents, then deletes those that they had before and have no more. A search between the two finds both;
 * one that follows the task finds the new ones alone.
 */
export function documentsProcessor(side: VectorSide) {
  return defineProcessor(documents, {
    process: (items, context) =>
      writeEach(items, context, async ({ collection, chunked, fingerprint, fence }) => {
        if (chunked === undefined) throw new MillraceError('INTERNAL', 'vector.documents: computed before its chunks');
        const state = await side.replicas.stateOf(collection);
        let { version } = state;
        const written: { id: string; chunks: number; removed: number }[] = [];
        for (const document of chunked) {
          const one = await writeDocument(side, { state, document, fingerprint, fence });
          version = Math.max(version, one.version);
          written.push({ id: document.id, chunks: one.chunks, removed: one.removed });
        }
        return { version, documents: written };
      }),
  });
}

interface DocumentWrite {
  readonly state: CollectionState;
  readonly document: ChunkedDocument;
  readonly fingerprint: string | undefined;
  readonly fence: Fence | undefined;
}

async function writeDocument(
  { points, chunks: documentChunks }: VectorSide,
  { state, document: { id, points: given }, fingerprint, fence }: DocumentWrite,
): Promise<{ version: number; chunks: number; removed: number }> {
  const { collection } = state;
  const vectors = given.map(({ vector }, index) => ({ path: `chunk ${index} of ${id}`, value: vector }));
  const writes = checkedWrites(state, { use: { name: collection.name, fingerprint, vectors }, points: given });
  const chunkIds = writes.map((write) => write.id);
  const open = await documentChunks.begin(collection, { id, chunkIds, fence });
  const guard = { fence, document: open };
  const outdated = open.outdated.map((chunk) => ({ id: chunk }));
  const version = await points.write(collection, writes, { fingerprint, ...guard });
  const removal = await points.delete(collection, outdated, guard);
  await documentChunks.end(collection, open, chunkIds);
  return { version: Math.max(version, removal.version), chunks: writes.length, removed: removal.deleted };
}
