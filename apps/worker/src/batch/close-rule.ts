/** What the batcher knows of an item: a key, a size, an urgency and a time. */
export interface BatchItem {
  /** Only items of one key share a call. */
  readonly key: string;
  /** Its size, in the unit of the budget. */
  readonly cost: number;
  /** Lower is more urgent. */
  readonly priority: number;
  /** Breaks ties of priority: earlier is more urgent. */
  readonly arrival: number;
  /** Breaks ties of arrival: a number that rises from item to item. */
  readonly order: number;
  /** When it came to the batcher, in ms of the batcher's clock. */
  readonly since: number;
}

/** How urgent an item is now: one that arrived at `agedBefore` or earlier has waited too long, and goes ahead of all others. */
export function rankOf({ arrival, priority }: BatchItem, agedBefore: number): number {
  return arrival <= agedBefore ? 0 : priority;
}

/** The bounds of a call. */
export interface BatchLimits {
  readonly items: number;
  /** The budget of a call, in the unit of the items' cost. */
  readonly cost: number;
  /** Whether every item costs as much as the largest of its call (a tensor is padded). */
  readonly padded: boolean;
  /** How long an item waits for company while a lane computes, in ms. */
  readonly waitMs: number;
}

/** Which of two items is to run first. */
export function compareUrgency(a: BatchItem, b: BatchItem): number {
  return a.priority - b.priority || compareArrival(a, b);
}

function compareArrival(a: BatchItem, b: BatchItem): number {
  return a.arrival - b.arrival || a.order - b.order;
}

/** What a call of these items costs: with padding, all as much as the largest. */
export function callCost(items: readonly BatchItem[], padded: boolean): number {
  if (!padded) return items.reduce((sum, { cost }) => sum + cost, 0);
  return items.length * items.reduce((largest, { cost }) => Math.max(largest, cost), 0);
}

/**
 * Chooses the next call out of the waiting items of one key: the most urgent one, then others as urgent that are nearest to it
 * in size, then, in what room is left, less urgent ones. At least one item, however large. `waiting` is sorted by cost.
 */
export function formCall<T extends BatchItem>(waiting: readonly T[], limits: BatchLimits, agedBefore: number): T[] {
  const seed = mostUrgent(waiting, agedBefore);
  if (seed === undefined) return [];
  const rank = rankOf(seed, agedBefore);
  const peers = waiting.filter((item) => rankOf(item, agedBefore) === rank);
  const call = growCall([seed], peers, limits);
  if (peers.length === waiting.length) return call;
  const others = waiting.filter((item) => rankOf(item, agedBefore) !== rank);
  return growCall(call, others, limits);
}

/** The most urgent of some items; of those that have waited too long, the one that arrived first. */
export function mostUrgent<T extends BatchItem>(items: Iterable<T>, agedBefore: number): T | undefined {
  let first: T | undefined;
  for (const item of items) {
    if (first === undefined) first = item;
    else if (rankOf(item, agedBefore) < rankOf(first, agedBefore)) first = item;
    else if (rankOf(item, agedBefore) === rankOf(first, agedBefore) && compareArrival(item, first) < 0) first = item;
  }
  return first;
}

/** Adds candidates (sorted by cost) to a call as long as it stays within its limits: those nearest in size to its first item first. */
function growCall<T extends BatchItem>(call: readonly T[], candidates: readonly T[], limits: BatchLimits): T[] {
  const [seed] = call;
  if (seed === undefined) return [];
  const grown = [...call];
  const own = new Set<T>(call);
  let largest = grown.reduce((max, { cost }) => Math.max(max, cost), 0);
  let sum = grown.reduce((total, { cost }) => total + cost, 0);
  const fits = (item: T) => {
    const cost = limits.padded ? (grown.length + 1) * Math.max(largest, item.cost) : sum + item.cost;
    return cost <= limits.cost;
  };
  for (const item of nearestFirst(candidates, seed)) {
    if (grown.length >= limits.items) break;
    if (own.has(item) || !fits(item)) continue;
    grown.push(item);
    largest = Math.max(largest, item.cost);
    sum += item.cost;
  }
  return grown;
}

/** Walks outwards from the size of the seed, to both sides, always to the nearer one; of like sizes, in urgency's order. */
function* nearestFirst<T extends BatchItem>(sorted: readonly T[], seed: BatchItem): Generator<T> {
  let right = lowerBound(sorted, seed);
  let left = right - 1;
  for (;;) {
    const below = sorted[left];
    const above = sorted[right];
    if (below === undefined && above === undefined) return;
    if (above === undefined || (below !== undefined && seed.cost - below.cost < above.cost - seed.cost)) {
      if (below !== undefined) yield below;
      left -= 1;
    } else {
      yield above;
      right += 1;
    }
  }
}

/** How items lie in a batcher: by cost, and by urgency where it is the same. */
export function compareCost(a: BatchItem, b: BatchItem): number {
  return a.cost - b.cost || compareUrgency(a, b);
}

/** The first place in a list sorted by compareCost that is not before the item. */
export function lowerBound(sorted: readonly BatchItem[], item: BatchItem): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = sorted[middle];
    if (there !== undefined && compareCost(there, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What decides whether a call that could be formed should go now. */
interface CloseFacts {
  readonly laneIdle: boolean;
  /** Nothing more can arrive: the window is full, or the worker is draining. */
  readonly windowFull: boolean;
  /** Items that could be in this call but found no room. */
  readonly leftOver: number;
  readonly items: number;
  readonly oldestWaitMs: number;
}

/**
 * Whether the next call should go: an idle lane takes what is there at once; behind a busy one a call goes when it is full,
 * when nothing more can arrive, or when its oldest item has waited long enough.
 */
export function shouldClose(facts: CloseFacts, limits: BatchLimits): boolean {
  if (facts.laneIdle || facts.windowFull) return true;
  if (facts.leftOver > 0 || facts.items >= limits.items) return true;
  return facts.oldestWaitMs >= limits.waitMs;
}
