import { MillraceError } from '@millrace/shared/errors';
import type { PointWrite } from '@millrace/shared/redis/point-bytes';
import { defineProcessor } from '@millrace/shared/tasks/processor';
import type { CollectionState } from '@millrace/shared/tasks/vector/collection';
import { type CollectionUse, mismatchOf } from '@millrace/shared/tasks/vector/collection-use';
import type { Metadata } from '@millrace/shared/tasks/vector/metadata';
import { upsert } from '@millrace/shared/tasks/vector/upsert';
import { toFloat32, type VectorValue } from '@millrace/shared/tasks/vector/vector-value';
import { atLengthOne } from './nearest.ts';
import type { VectorSide } from './vector-side.ts';
import { writeEach } from './writing.ts';

/** Writes points into Redis; replicas find them in the change log. */
export function upsertProcessor(side: VectorSide) {
  return defineProcessor(upsert, {
    process: (items, context) =>
      writeEach(items, context, async (input) => {
        const { points, replicas } = side;
        const state = await replicas.stateOf(input.collection);
        const given = input.points.map(({ id, vector = '', metadata = null }) => ({ id, vector, metadata }));
        const writes = checkedWrites(state, { use: upsert.collection(input), points: given });
        const { fingerprint, fence } = input;
        return {
          version: await points.write(state.collection, writes, { fingerprint, fence }),
          upserted: writes.length,
        };
      }),
  });
}

/** Points on their way into a collection, as a task brings them. */
interface GivenPoints {
  readonly use: CollectionUse | undefined;
  readonly points: readonly { readonly id: string; readonly vector: VectorValue; readonly metadata: Metadata | null }[];
}

/**
 * Points as they are written, once all of them are found to suit the collection; of several with one id the last counts.
 * @throws MillraceError COLLECTION_MISMATCH, INVALID_INPUT with the point that does not suit.
 */
export function checkedWrites(state: CollectionState, { use, points }: GivenPoints): PointWrite[] {
  const mismatch = use === undefined ? undefined : mismatchOf(use, state);
  if (mismatch !== undefined) throw new MillraceError(mismatch.code, mismatch.message, { problems: mismatch.problems });
  const { metric } = state.collection;
  const writes = new Map<string, PointWrite>();
  for (const { id, vector: value, metadata } of points) {
    const vector = toFloat32(value);
    if (vector === undefined) throw new MillraceError('INVALID_INPUT', `Point ${id} has no vector.`);
    writes.set(id, { id, vector: metric === 'cosine' ? atLengthOne(vector) : vector, metadata });
  }
  return [...writes.values()];
}
