import { MillraceError } from '@millrace/shared/errors';
import type { Fence } from '@millrace/shared/tasks/preparation';
import { defineProcessor } from '@millrace/shared/tasks/processor';
import { deletePoints } from '@millrace/shared/tasks/vector/delete';
import type { Filter } from '@millrace/shared/tasks/vector/filter';
import { selectMatches } from './search-replica.ts';
import { Turns } from './turns.ts';
import type { VectorSide } from './vector-side.ts';
import { writeEach } from './writing.ts';

/** Points that are written while a filter looks at them are looked at again, so often. */
const rounds = 20;

/** Deletes points in Redis; replicas find them in the change log. */
export function deleteProcessor(side: VectorSide) {
  return defineProcessor(deletePoints, {
    process: (items, context) =>
      writeEach(items, context, async ({ collection: name, ids, filter, fence }) => {
        if (filter !== undefined) return await deleteMatches(side, { name, filter, fence, signal: context.signal });
        const { points, replicas } = side;
        const { collection } = await replicas.stateOf(name);
        const given = [...new Set(ids)].map((id) => ({ id }));
        const { version, deleted } = await points.delete(collection, given, { fence });
        return { version, deleted };
      }),
  });
}

interface FilteredDelete {
  readonly name: string;
  readonly filter: Filter;
  readonly fence: Fence | undefined;
  readonly signal: AbortSignal;
}

/**
 * The replica proposes points with the writes that they come from; Redis deletes those that have not been written since, and the
 * others are looked at again with what they are now.
 */
async function deleteMatches(
  { points, replicas }: VectorSide,
  { name, filter, fence, signal }: FilteredDelete,
): Promise<{ version: number; deleted: number }> {
  let deleted = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { collection, version, proposed } = await replicas.at(name, signal, async ({ replica, state }) => {
      const { slots } = await selectMatches(replica, filter, new Turns(signal));
      const { store } = replica;
      return {
        collection: replica.collection,
        version: state.version,
        proposed: slots.map((slot) => ({ id: store.idOf(slot), stamp: store.stampOf(slot) })),
      };
    });
    if (proposed.length === 0) return { version, deleted };
    const reply = await points.delete(collection, proposed, { fence });
    deleted += reply.deleted;
    if (reply.changed.length === 0) return { version: reply.version, deleted };
  }
  throw new MillraceError('COLLECTION_CHANGED', `Points of ${name} changed faster than they could be deleted.`);
}
