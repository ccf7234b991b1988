import {
  type BatchItem,
  type BatchLimits,
  callCost,
  compareCost,
  formCall,
  lowerBound,
  mostUrgent,
  rankOf,
  shouldClose,
} from './close-rule.ts';

interface BatcherParams {
  readonly limits: BatchLimits;
  /** An item that arrived so long ago goes ahead of all that did not, whatever its priority, in ms. */
  readonly agingMs: number;
  /** The clock, in ms. */
  readonly now: () => number;
}

interface TakeFacts {
  readonly laneIdle: boolean;
  readonly windowFull: boolean;
}

/**
 * Holds items until a lane has room for a call, and forms the call. It is self-clocking: it never waits while a lane is idle,
 * and while lanes compute the next calls gather. States of an item: waiting (here) or taken (the caller's).
 */
export class Batcher<T extends BatchItem> {
  private readonly limits: BatchLimits;
  private readonly agingMs: number;
  private readonly now: () => number;
  /** Waiting items by key, each list sorted by cost. */
  private readonly waiting = new Map<string, T[]>();
  private waitingItems = 0;
  private waitingCost = 0;

  constructor({ limits, agingMs, now }: BatcherParams) {
    this.limits = limits;
    this.agingMs = agingMs;
    this.now = now;
  }

  /** Items that wait. */
  get size(): number {
    return this.waitingItems;
  }

  /** The sum of their costs, without padding. */
  get cost(): number {
    return this.waitingCost;
  }

  /** The priority of the most urgent item that waits, 0 when it has waited too long; undefined when none waits. */
  get mostUrgentPriority(): number | undefined {
    const next = this.nextItem();
    return next === undefined ? undefined : this.rankOf(next);
  }

  /** Share of its budget that a call of these items uses, in items or size, whichever is fuller. */
  fillOf(call: readonly BatchItem[]): number {
    const { items, cost, padded } = this.limits;
    return Math.max(call.length / items, callCost(call, padded) / cost);
  }

  add(items: Iterable<T>): void {
    for (const item of items) {
      const list = this.waiting.get(item.key) ?? [];
      list.splice(lowerBound(list, item), 0, item);
      this.waiting.set(item.key, list);
      this.waitingItems += 1;
      this.waitingCost += item.cost;
    }
  }

  /** The next call, most urgent first; empty when it is better to wait for more. */
  take({ laneIdle, windowFull }: TakeFacts): T[] {
    const list = this.waiting.get(this.nextItem()?.key ?? '');
    if (list === undefined) return [];
    const call = formCall(list, this.limits, this.agedBefore);
    const facts = {
      laneIdle,
      windowFull,
      leftOver: list.length - call.length,
      items: call.length,
      oldestWaitMs: this.now() - call.reduce((oldest, { since }) => Math.min(oldest, since), Number.POSITIVE_INFINITY),
    };
    if (!shouldClose(facts, this.limits)) return [];
    this.remove(call);
    return call;
  }

  /** The most urgent items alone, as many as share a call with the first of them: what goes ahead of others is to be short. */
  takeUrgent(): T[] {
    const next = this.nextItem();
    if (next === undefined) return [];
    const rank = this.rankOf(next);
    const peers = (this.waiting.get(next.key) ?? []).filter((item) => this.rankOf(item) === rank);
    const call = formCall(peers, this.limits, this.agedBefore);
    this.remove(call);
    return call;
  }

  /** How urgent an item is now: its priority, or 0 when it has waited too long. */
  rankOf(item: BatchItem): number {
    return rankOf(item, this.agedBefore);
  }

  /** Takes items out, for good; those that are not here are passed over. */
  remove(items: readonly T[]): void {
    for (const item of items) {
      const list = this.waiting.get(item.key);
      const index = list === undefined ? -1 : this.indexOf(list, item);
      if (list === undefined || index < 0) continue;
      list.splice(index, 1);
      if (list.length === 0) this.waiting.delete(item.key);
      this.waitingItems -= 1;
      this.waitingCost -= item.cost;
    }
  }

  /** Takes everything out. */
  drain(): T[] {
    const all = [...this.waiting.values()].flat();
    this.remove(all);
    return all;
  }

  /** When the oldest item will have waited long enough to go behind a busy lane, in ms from now; undefined when none waits. */
  msUntilDue(): number | undefined {
    let oldest = Number.POSITIVE_INFINITY;
    for (const list of this.waiting.values()) for (const { since } of list) oldest = Math.min(oldest, since);
    return oldest === Number.POSITIVE_INFINITY ? undefined : Math.max(0, oldest + this.limits.waitMs - this.now());
  }

  private get agedBefore(): number {
    return this.now() - this.agingMs;
  }

  private nextItem(): T | undefined {
    let first: T | undefined;
    for (const list of this.waiting.values()) {
      const urgent = mostUrgent(list, this.agedBefore);
      if (urgent !== undefined) first = first === undefined ? urgent : mostUrgent([first, urgent], this.agedBefore);
    }
    return first;
  }

  private indexOf(list: readonly T[], item: T): number {
    // Items of the same cost and urgency lie side by side: begin at the first of them.
    for (let index = lowerBound(list, item); index < list.length; index += 1) {
      const there = list[index];
      if (there === item) return index;
      if (there === undefined || compareCost(there, item) > 0) return -1;
    }
    return -1;
  }
}
