import type { Logger } from '@millrace/shared/logger';
import type { Replica } from './replica.ts';
import { searchReplica } from './search-replica.ts';

/** Points whose neighbours are compared in one probe. */
const samples = 32;
const k = 10;
/** Below it the index keeps more candidates; the target of recall@10. */
const target = 0.95;
const efStep = 1.5;
const largestEf = 1000;
/** Queries of a probe before others have their turn. */
const samplesPerTurn = 1;

/**
 * Compares searches by the index with exact ones, on queries that are points of the collection, moved a little: what users ask
 * for lies where the points are. Raises `ef` when the index finds too little. Gives recall@10; undefined when there is nothing to
 * compare.
 */
export async function probeRecall(
  replica: Replica,
  { log, random, turn }: { log: Logger; random: () => number; turn: () => Promise<unknown> },
): Promise<number | undefined> {
  const { store, build, collection } = replica;
  if (build.index.exact || build.indexed === 0 || store.size <= k) return undefined;
  const slots = [...store.aliveSlots()];
  let found = 0;
  let wanted = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    const slot = slots[Math.floor(random() * slots.length)] ?? 0;
    if (!store.isAlive(slot)) continue;
    const query = nearby(store.vectorOf(slot), random);
    const search = { k, ef: replica.ef, matches: undefined };
    const byIndex = new Set(
      searchReplica(replica, query, { ...search, exact: false }).neighbours.map(({ label }) => label),
    );
    const exact = searchReplica(replica, query, { ...search, exact: true }).neighbours;
    found += exact.filter(({ label }) => byIndex.has(label)).length;
    wanted += exact.length;
    if (sample % samplesPerTurn === 0) await turn();
  }
  if (wanted === 0) return undefined;
  const recall = found / wanted;
  replica.recall = recall;
  if (recall < target && replica.ef < largestEf) {
    const ef = Math.min(largestEf, Math.ceil(replica.ef * efStep));
    log.warn(
      { event: 'recall.low', collection: collection.name, recall, ef: replica.ef, raisedTo: ef },
      'recall is low',
    );
    replica.ef = ef;
  }
  return recall;
}

/** A vector a tenth of its length away from another, in a direction of its own. */
function nearby(vector: Float32Array, random: () => number): Float32Array {
  const norm = Math.hypot(...vector);
  const step = (0.2 * norm) / Math.sqrt(vector.length);
  return vector.map((value) => value + (random() - 0.5) * 2 * step * 0.866);
}
