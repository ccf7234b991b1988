import type { Stamp, StoredPoint } from '@millrace/shared/redis/point-bytes';
import type { Metadata } from '@millrace/shared/tasks/vector/metadata';

/** Bytes of a block of vectors: one array of all would have to be copied to grow. */
const blockBytes = 524_288;
/** Bytes of a point beside its vector and metadata: its id, its places in the tables. */
const overheadBytes = 200;

/**
 * The points of a replica, by slot. A point that is written again gets a new slot; its old one is dead, and is used again once
 * no index knows it (`free`).
 */
export class PointStore {
  private readonly dimensions: number;
  private readonly blockRows: number;
  private readonly blocks: Float32Array[] = [];
  private readonly ids: (string | undefined)[] = [];
  private readonly versions: number[] = [];
  private readonly marks: number[] = [];
  private readonly metadata: (Metadata | null)[] = [];
  private readonly slots = new Map<string, number>();
  private readonly freed: number[] = [];
  private metadataBytes = 0;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.blockRows = Math.max(16, Math.floor(blockBytes / (dimensions * Float32Array.BYTES_PER_ELEMENT)));
  }

  /** Points that are there. */
  get size(): number {
    return this.slots.size;
  }

  /** Slots that were ever given: every slot is below. */
  get slotCount(): number {
    return this.ids.length;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    const vectors = this.blocks.length * this.blockRows * this.dimensions * Float32Array.BYTES_PER_ELEMENT;
    return vectors + this.ids.length * overheadBytes + this.metadataBytes;
  }

  slotOf(id: string): number | undefined {
    return this.slots.get(id);
  }

  isAlive(slot: number): boolean {
    return this.ids[slot] !== undefined;
  }

  idOf(slot: number): string {
    return this.ids[slot] ?? '';
  }

  stampOf(slot: number): Stamp {
    return { version: this.versions[slot] ?? 0, mark: this.marks[slot] ?? 0 };
  }

  /** Whether the point in a slot comes from that very write. */
  isOf(slot: number, { version, mark }: Stamp): boolean {
    return this.versions[slot] === version && this.marks[slot] === mark;
  }

  metadataOf(slot: number): Metadata | null {
    return this.metadata[slot] ?? null;
  }

  /** The vector in a slot: a view, not to be kept. */
  vectorOf(slot: number): Float32Array {
    const start = (slot % this.blockRows) * this.dimensions;
    const block = this.blocks[Math.floor(slot / this.blockRows)] as Float32Array;
    return block.subarray(start, start + this.dimensions);
  }

  /** The slots of all points that are there. */
  aliveSlots(): IterableIterator<number> {
    return this.slots.values();
  }

  allIds(): IterableIterator<string> {
    return this.slots.keys();
  }

  /** Puts a point into a slot of its own; the slot that it had before must have been emptied. */
  put(point: StoredPoint): number {
    const slot = this.freed.pop() ?? this.ids.length;
    this.restore(slot, point);
    return slot;
  }

  /** Puts a point into a slot that it had before. */
  restore(slot: number, { id, stamp, vector, metadata }: StoredPoint): void {
    while (slot >= this.blocks.length * this.blockRows) {
      this.blocks.push(new Float32Array(this.blockRows * this.dimensions));
    }
    this.ids[slot] = id;
    this.versions[slot] = stamp.version;
    this.marks[slot] = stamp.mark;
    this.metadata[slot] = metadata;
    this.vectorOf(slot).set(vector);
    this.slots.set(id, slot);
    this.metadataBytes += bytesOf(metadata);
  }

  /** After restoring: all slots below `count` that are neither taken nor dead in an index may be used. */
  freeUnused(count: number, dead: ReadonlySet<number>): void {
    for (let slot = 0; slot < count; slot += 1) {
      if (this.ids[slot] !== undefined) continue;
      // The tables must reach as far as the slots do, or a slot would be given twice.
      this.ids[slot] = undefined;
      if (!dead.has(slot)) this.freed.push(slot);
    }
    this.ids.length = Math.max(this.ids.length, count);
  }

  /** Takes a point out; its slot is dead. */
  remove(id: string): number | undefined {
    const slot = this.slots.get(id);
    if (slot === undefined) return undefined;
    this.slots.delete(id);
    this.metadataBytes -= bytesOf(this.metadata[slot] ?? null);
    this.ids[slot] = undefined;
    this.metadata[slot] = null;
    return slot;
  }

  /** Lets a dead slot be used again. */
  free(slot: number): void {
    this.freed.push(slot);
  }
}

function bytesOf(metadata: Metadata | null): number {
  // Twice its text: an object of V8 is larger than its JSON.
  return metadata === null ? 0 : 2 * JSON.stringify(metadata).length;
}
