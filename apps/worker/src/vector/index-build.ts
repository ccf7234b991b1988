import type { Collection } from '@millrace/shared/tasks/vector/collection';
import type { IndexBackend, VectorIndex } from './backends/vector-index.ts';
import type { PointStore } from './point-store.ts';

/** When an index is worth its while; points. */
export interface IndexTuning {
  /** Below so many points an index finds nothing faster than a look at each. */
  readonly worthIndexing: number;
  /** An index with more dead slots than this, and than half of those alive, is built anew. */
  readonly mostDead: number;
}
export const indexTuning: IndexTuning = { worthIndexing: 2000, mostDead: 5000 };
/** Of the index beside the vectors: links, and what hnswlib keeps of each; bytes a label. */
const labelBytes = 100;

interface Side {
  readonly index: VectorIndex;
  /** Slots that are alive and not in the index: searched one by one. */
  readonly tail: Set<number>;
  /** Slots in the index whose points are gone. */
  readonly dead: Set<number>;
}

interface IndexBuildParams {
  readonly collection: Collection;
  readonly store: PointStore;
  readonly backend: IndexBackend;
  readonly tuning: IndexTuning;
}

/**
 * The index of a replica and what is not yet in it (the tail). Building goes by slices, so that a search never waits for it.
 * An index with many dead slots is replaced: the next one is built beside it, and takes over when it has everything.
 */
export class IndexBuild {
  private readonly params: IndexBuildParams;
  private side: Side;
  private next: Side | undefined;
  /** While the index is written to a file it must not change. */
  private frozen = false;
  private closed = false;
  private readonly held: (() => void)[] = [];

  constructor(params: IndexBuildParams, from?: { readonly index: VectorIndex; readonly indexed: Iterable<number> }) {
    this.params = params;
    if (from === undefined) {
      this.side = this.emptySide();
      return;
    }
    const indexed = new Set(from.indexed);
    const tail = new Set([...params.store.aliveSlots()].filter((slot) => !indexed.has(slot)));
    const dead = new Set([...indexed].filter((slot) => !params.store.isAlive(slot)));
    this.side = { index: from.index, tail, dead };
  }

  get index(): VectorIndex {
    return this.side.index;
  }

  /** Slots to be searched beside the index. */
  get tail(): ReadonlySet<number> {
    return this.side.tail;
  }

  /** Labels that are in the index, those whose points are gone included. */
  get indexed(): number {
    return this.side.index.size;
  }

  get deadSlots(): ReadonlySet<number> {
    return this.side.dead;
  }

  /** Whether there is anything to build. */
  get isDone(): boolean {
    return (
      this.frozen ||
      this.closed ||
      (this.next === undefined && (!this.isWorth || this.side.tail.size === 0) && !this.isStale)
    );
  }

  /** About how much memory the indexes take. */
  get bytes(): number {
    const { dimensions, hnsw } = this.params.collection;
    const perLabel = dimensions * 4 + hnsw.m * 8 + labelBytes;
    const labels = this.side.index.size + (this.next?.index.size ?? 0);
    return this.side.index.exact ? 0 : labels * perLabel;
  }

  /** A point is in a slot now. */
  add(slot: number): void {
    this.side.tail.add(slot);
    this.next?.tail.add(slot);
  }

  /** A slot's point is gone. */
  remove(slot: number): void {
    // Meanwhile searches pass over it: its point is gone from the store.
    if (this.frozen) this.held.push(() => this.removeNow(slot));
    else this.removeNow(slot);
  }

  /** Builds until `until` (ms of performance.now) at the longest, one point at the least. */
  slice(until: number): void {
    if (this.isDone) return;
    if (this.next === undefined && this.isStale) {
      this.next = { ...this.emptySide(), tail: new Set(this.params.store.aliveSlots()) };
    }
    const side = this.next ?? this.side;
    for (const slot of side.tail) {
      side.index.add(slot, this.params.store.vectorOf(slot));
      side.tail.delete(slot);
      if (performance.now() >= until) break;
    }
    if (this.next !== undefined && this.next.tail.size === 0) this.takeOver(this.next);
  }

  /** Runs `write` with an index that does not change meanwhile; searches go on. */
  async whileFrozen(write: () => Promise<void>): Promise<void> {
    this.frozen = true;
    try {
      await write();
    } finally {
      this.frozen = false;
      for (const act of this.held.splice(0)) act();
    }
  }

  /** Lets go of the memory of its indexes, which find nothing from then on. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.frozen) this.held.push(() => this.closeNow());
    else this.closeNow();
  }

  private closeNow(): void {
    this.side.index.close();
    this.next?.index.close();
  }

  private get isWorth(): boolean {
    return this.params.store.size >= this.params.tuning.worthIndexing || this.side.index.size > 0;
  }

  private get isStale(): boolean {
    return this.side.dead.size > this.params.tuning.mostDead && this.side.dead.size > this.params.store.size / 2;
  }

  private removeNow(slot: number): void {
    const sides = this.next === undefined ? [this.side] : [this.side, this.next];
    const known = sides.filter((side) => removeFrom(side, slot));
    if (known.length === 0) this.params.store.free(slot);
  }

  /** The old index is forgotten, and the slots that it alone knew may be used again. */
  private takeOver(next: Side): void {
    for (const slot of this.side.dead) if (!next.dead.has(slot)) this.params.store.free(slot);
    this.side.index.close();
    this.side = next;
    this.next = undefined;
  }

  private emptySide(): Side {
    const { collection, store, backend } = this.params;
    const index = backend.create({ collection, vectorOf: (slot) => store.vectorOf(slot) });
    return { index, tail: new Set(), dead: new Set() };
  }
}

/** Whether the side's index knows the slot: it is dead there from now on. */
function removeFrom({ index, tail, dead }: Side, slot: number): boolean {
  if (tail.delete(slot)) return false;
  index.remove(slot);
  dead.add(slot);
  return true;
}
