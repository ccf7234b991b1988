import { MillraceError } from '@millrace/shared/errors';
import { defineProcessor } from '@millrace/shared/tasks/processor';
import { deletePoints } from '@millrace/shared/tasks/vector/delete';
import type { Filter } from '@millrace/shared/tasks/vector/filter';
import { selectMatches } from './search-replica.ts';
import type { VectorSide } from './vector-side.ts';
import { writeEach } from './writing.ts';

/** Points that are written while a filter looks at them are looked at again, so often. */
const rounds = 20;

/** Deletes points in Redis; replicas find them in the change log. */
export function deleteProcessor(side: () => VectorSide) {
  return defineProcessor(deletePoints, {
    process: (items, context) =>
      writeEach(items, context, async ({ collection: name, ids, filter }) => {
        if (filter !== undefined) return await deleteMatches(side(), name, filter);
        const { points, replicas } = side();
        const { collection } = await replicas.stateOf(name);
        const { version, deleted } = await points.delete(
          collection,
          [...new Set(ids)].map((id) => ({ id })),
        );
        return { version, deleted };
      }),
  });
}

/**
 * The replica proposes points with the versions that it saw; Redis deletes those that have not changed since, and the others
 * are looked at again with what they are now.
 */
async function deleteMatches(
  { points, replicas }: VectorSide,
  name: string,
  filter: Filter,
): Promise<{ version: number; deleted: number }> {
  let deleted = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { replica, state } = await replicas.ready(name);
    const { store } = replica;
    const proposed = selectMatches(replica, filter).slots.map((slot) => ({
      id: store.idOf(slot),
      version: store.versionOf(slot),
    }));
    if (proposed.length === 0) return { version: state.version, deleted };
    const reply = await points.delete(replica.collection, proposed);
    deleted += reply.deleted;
    if (reply.changed.length === 0) return { version: reply.version, deleted };
  }
  throw new MillraceError('COLLECTION_CHANGED', `Points of ${name} changed faster than they could be deleted.`);
}
