import { MillraceError } from '@millrace/shared/errors';
import type { Points, PointWrite } from '@millrace/shared/redis/points';
import { defineProcessor } from '@millrace/shared/tasks/processor';
import type { CollectionState } from '@millrace/shared/tasks/vector/collection';
import { type CollectionUse, mismatchOf } from '@millrace/shared/tasks/vector/collection-use';
import type { Metadata } from '@millrace/shared/tasks/vector/point';
import { upsert } from '@millrace/shared/tasks/vector/upsert';
import { toFloat32, type VectorValue } from '@millrace/shared/tasks/vector/vector-value';
import { atLengthOne } from './nearest.ts';
import type { VectorSide } from './vector-side.ts';
import { writeEach } from './writing.ts';

/** Writes points into Redis; replicas find them in the change log. */
export function upsertProcessor(side: () => VectorSide) {
  return defineProcessor(upsert, {
    process: (items, context) =>
      writeEach(items, context, async (input) => {
        const { points, replicas } = side();
        const state = await replicas.stateOf(input.collection);
        const version = await writeChecked(points, state, {
          use: upsert.collection(input),
          points: input.points.map(({ id, vector = '', metadata = null }) => ({ id, vector, metadata })),
        });
        return { version, upserted: new Set(input.points.map(({ id }) => id)).size };
      }),
  });
}

interface CheckedWrite {
  readonly use: CollectionUse | undefined;
  readonly points: readonly { readonly id: string; readonly vector: VectorValue; readonly metadata: Metadata | null }[];
}

/**
 * Writes points once all of them are found to suit the collection; of several with one id the last counts.
 * @throws MillraceError COLLECTION_MISMATCH, INVALID_INPUT with the point that does not suit, COLLECTION_CHANGED.
 */
export async function writeChecked(
  points: Points,
  state: CollectionState,
  { use, points: given }: CheckedWrite,
): Promise<number> {
  const mismatch = use === undefined ? undefined : mismatchOf(use, state);
  if (mismatch !== undefined) throw new MillraceError(mismatch.code, mismatch.message, { problems: mismatch.problems });
  const { collection } = state;
  const writes = new Map<string, PointWrite>();
  for (const { id, vector: value, metadata } of given) {
    const vector = toFloat32(value);
    if (vector === undefined) throw new MillraceError('INVALID_INPUT', `Point ${id} has no vector.`);
    writes.set(id, { id, vector: collection.metric === 'cosine' ? atLengthOne(vector) : vector, metadata });
  }
  return await points.write(collection, [...writes.values()], use?.fingerprint ?? '');
}
