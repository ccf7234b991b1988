import { LRUCache } from 'lru-cache';

/** What an entry takes beside its value, in bytes: its key of some 120 characters, the buffer's own record, its place in the list. */
const bytesBesideValue = 400;

/** What was computed lately, as bytes, within a bound of memory; what was used longest ago goes first. */
export class RecentValues {
  private readonly values: LRUCache<string, Uint8Array> | undefined;

  /** `bytes`: the most that it takes; 0 keeps nothing. */
  constructor(bytes: number) {
    if (bytes === 0) return;
    this.values = new LRUCache({
      maxSize: bytes,
      sizeCalculation: ({ byteLength }) => byteLength + bytesBesideValue,
    });
  }

  /** Whether it keeps anything. */
  get isOn(): boolean {
    return this.values !== undefined;
  }

  /** What it takes now, in bytes. */
  get bytes(): number {
    return this.values?.calculatedSize ?? 0;
  }

  get(key: string): Uint8Array | undefined {
    return this.values?.get(key);
  }

  /** `value` must be in memory of its own, or it keeps more than it counts. */
  set(key: string, value: Uint8Array): void {
    this.values?.set(key, value);
  }
}
