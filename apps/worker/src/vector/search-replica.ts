import type { Filter } from '@millrace/shared/tasks/vector/filter';
import type { Neighbour } from './backends/vector-index.ts';
import { createFilter } from './filter.ts';
import { distanceOf, Nearest } from './nearest.ts';
import { shouldScan } from './plan-search.ts';
import type { Replica } from './replica.ts';
import type { Turns } from './turns.ts';

/** The points of a replica that pass a filter, at one moment. */
export interface Matches {
  readonly slots: readonly number[];
  has(slot: number): boolean;
}

/** Points looked at between two looks at the clock. */
const pointsPerLook = 64;

/** Looks at the metadata of every point, in slices; the replica must not change meanwhile. */
export async function selectMatches({ store }: Replica, filter: Filter, turns: Turns): Promise<Matches> {
  const passes = createFilter(filter);
  const slots: number[] = [];
  const bits = new Uint8Array(store.slotCount);
  let looked = 0;
  for (const slot of store.aliveSlots()) {
    looked += 1;
    if (looked % pointsPerLook === 0 && turns.isDue) await turns.take();
    if (!passes(store.metadataOf(slot))) continue;
    slots.push(slot);
    bits[slot] = 1;
  }
  return { slots, has: (slot) => bits[slot] === 1 };
}

interface ReplicaSearch {
  readonly k: number;
  readonly ef: number;
  readonly exact: boolean | undefined;
  /** Undefined: every point. */
  readonly matches: Matches | undefined;
}

/** What a search found: slots, nearest first; `exact` when every match was compared. */
export interface ReplicaAnswer {
  readonly neighbours: readonly Neighbour[];
  readonly exact: boolean;
}

/**
 * The k nearest points, min(k, matches) of them in any case. By the index and a scan of what is not yet in it, or by a scan of
 * all matches where that is faster, was asked for, or the index found too few.
 */
export function searchReplica(replica: Replica, query: Float32Array, search: ReplicaSearch): ReplicaAnswer {
  const { store, build } = replica;
  const { k, ef, exact, matches } = search;
  const count = matches?.slots.length ?? store.size;
  if (build.indexed > 0 && !shouldScan({ points: store.size, matches: count, k, exact })) {
    const neighbours = searchIndex(replica, query, { k, ef, matches });
    if (neighbours.length === Math.min(k, count)) return { neighbours, exact: build.index.exact };
  }
  const nearest = nearestOf(replica, k);
  scan(replica, query, { nearest, slots: matches?.slots ?? store.aliveSlots() });
  return { neighbours: nearest.sorted(), exact: true };
}

function searchIndex(
  replica: Replica,
  query: Float32Array,
  { k, ef, matches }: Pick<ReplicaSearch, 'k' | 'ef' | 'matches'>,
): Neighbour[] {
  const { store, build } = replica;
  const nearest = nearestOf(replica, k);
  const allows = matches === undefined ? undefined : (slot: number) => matches.has(slot);
  for (const { label, distance } of build.index.search(query, { k, ef: Math.max(ef, k), allows })) {
    if (store.isAlive(label)) nearest.offer(label, distance);
  }
  const inTail = matches === undefined ? build.tail : [...build.tail].filter((slot) => matches.has(slot));
  scan(replica, query, { nearest, slots: inTail });
  return nearest.sorted();
}

/** Of points that are as near the one with the lower id comes first: slots are others with every worker. */
function nearestOf({ store }: Replica, k: number): Nearest {
  return new Nearest(k, (a, b) => store.idOf(a) < store.idOf(b));
}

function scan(
  { store, collection }: Replica,
  query: Float32Array,
  { nearest, slots }: { nearest: Nearest; slots: Iterable<number> },
): void {
  const distance = distanceOf(collection.metric);
  for (const slot of slots) if (store.isAlive(slot)) nearest.offer(slot, distance(query, store.vectorOf(slot)));
}
