import { MillraceError } from '@millrace/shared/errors';
import { defineProcessor } from '@millrace/shared/tasks/processor';
import { documents } from '@millrace/shared/tasks/vector/documents';
import type { Metadata } from '@millrace/shared/tasks/vector/point';
import { writeChecked } from './upsert.ts';
import type { VectorSide } from './vector-side.ts';
import { writeEach } from './writing.ts';

/**
 * Writes the chunks of documents and removes those that they had before. What a document will have is noted first: if the
 * writer dies, or two write the same document at once, the last that ends removes what is too many.
 */
export function documentsProcessor(side: () => VectorSide) {
  return defineProcessor(documents, {
    process: (items, context) =>
      writeEach(items, context, async (input) => {
        const { points, replicas } = side();
        const { chunked, fingerprint } = input;
        if (chunked === undefined) throw new MillraceError('INTERNAL', 'vector.documents: computed before its chunks');
        const state = await replicas.stateOf(input.collection);
        const { collection } = state;
        let { version } = state;
        const written: { id: string; chunks: number; removed: number }[] = [];
        for (const { id, points: chunks } of chunked) {
          const ids = [...new Set(chunks.map((chunk) => chunk.id))];
          await points.beginDocument(collection, id, ids);
          if (chunks.length > 0) {
            const vectors = chunks.map(({ vector }, index) => ({ path: `chunk ${index} of ${id}`, value: vector }));
            version = await writeChecked(points, state, {
              use: { name: collection.name, fingerprint, vectors },
              points: chunks.map((chunk) => ({ ...chunk, metadata: chunk.metadata as Metadata })),
            });
          }
          const ended = await points.endDocument(collection, id, ids);
          version = ended.version;
          written.push({ id, chunks: ids.length, removed: ended.removed });
        }
        return { version, documents: written };
      }),
  });
}
