import type { Logger } from '@millrace/shared/logger';
import { distanceOf, Nearest } from './nearest.ts';
import type { Replica } from './replica.ts';
import { searchReplica } from './search-replica.ts';
import type { Turns } from './turns.ts';

/** Queries that are compared in one probe. */
const samples = 32;
const k = 10;
/** Below it the index keeps more candidates; the target of recall@10. */
const target = 0.95;
const efStep = 1.5;
const largestEf = 1000;
/** Points compared between two looks at the clock. */
const pointsPerLook = 256;

interface ProbeParams {
  readonly log: Logger;
  readonly random: () => number;
  readonly turns: Turns;
}

/**
 * Compares searches by the index with exact ones: on the queries that were asked last, and where there were too few on points
 * of the collection, moved a little, for what is asked for lies where the points are. Raises `ef` when the index finds too
 * little. Searches go on meanwhile, and so do writes, which may blur a sample. Gives recall@10; undefined when there is nothing to
 * compare.
 */
export async function probeRecall(replica: Replica, { log, random, turns }: ProbeParams): Promise<number | undefined> {
  const { store, build, collection } = replica;
  if (build.index.exact || build.indexed === 0 || store.size <= k) return undefined;
  let found = 0;
  let wanted = 0;
  for (const query of queriesFor(replica, random)) {
    const search = { k, ef: replica.ef, exact: false, matches: undefined };
    const byIndex = new Set(searchReplica(replica, query, search).neighbours.map(({ label }) => label));
    const exact = await nearestInTurns(replica, query, turns);
    found += exact.filter((slot) => byIndex.has(slot)).length;
    wanted += exact.length;
    if (replica.state === 'gone') return undefined;
  }
  if (wanted === 0) return undefined;
  const recall = found / wanted;
  replica.recall = recall;
  if (recall < target && replica.ef < largestEf) {
    const ef = Math.min(largestEf, Math.ceil(replica.ef * efStep));
    const facts = { collection: collection.name, recall, ef: replica.ef, raisedTo: ef };
    log.warn({ event: 'recall.low', ...facts }, 'the index finds too little: it keeps more candidates from now on');
    replica.ef = ef;
  }
  return recall;
}

function queriesFor({ queries, store }: Replica, random: () => number): Float32Array[] {
  const asked = queries.list().slice(0, samples);
  const slots = [...store.aliveSlots()];
  const made = Array.from({ length: samples - asked.length }, () => {
    const slot = slots[Math.floor(random() * slots.length)] ?? 0;
    return nearby(store.vectorOf(slot), random);
  });
  return [...asked, ...made];
}

/** The exact answer, as slots; in slices, for it takes long where there are many points. */
async function nearestInTurns({ store, collection }: Replica, query: Float32Array, turns: Turns): Promise<number[]> {
  const nearest = new Nearest(k);
  const distance = distanceOf(collection.metric);
  for (let slot = 0; slot < store.slotCount; slot += 1) {
    if (slot % pointsPerLook === 0 && turns.isDue) await turns.take();
    if (store.isAlive(slot)) nearest.offer(slot, distance(query, store.vectorOf(slot)));
  }
  return nearest.sorted().flatMap(({ label }) => (store.isAlive(label) ? [label] : []));
}

/** A vector a tenth of its length away from another, in a direction of its own. */
function nearby(vector: Float32Array, random: () => number): Float32Array {
  const norm = Math.hypot(...vector);
  const step = (0.2 * norm) / Math.sqrt(vector.length);
  return vector.map((value) => value + (random() - 0.5) * 2 * step * 0.866);
}
