import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** A value that is kept: what made it, and of what it is the value (`hashOfItem`). */
export interface CacheId {
  readonly fingerprint: string;
  readonly hash: string;
}

/** A value on its way to the cache. */
export interface CacheEntry {
  readonly id: CacheId;
  readonly bytes: Uint8Array;
}

/** The bounds of the cache. */
export interface CacheBounds {
  /** Bytes of Redis that all values together may take. */
  readonly bytes: number;
  /** How long a value is kept, in ms. */
  readonly ttlMs: number;
}

/** The cache may fill Redis to this share of its high-water mark: above, nothing is written, and the oldest values go. */
export const cacheShare = 0.7;

/**
 * What a value takes in Redis beside itself, in bytes: its key, its time, its place among the others; and Redis rounds values up,
 * by an eighth on average. Measured on Redis 7.0: 423 for small values, 671 for those of 1,542 bytes.
 */
const bytesBesideValue = 480;
const roundedUp = 1.125;

/** Values that one step drops at most: a bounded pause for Redis. */
const mostDropped = 1000;

const writeCache = new Script('write-cache');
const trimCache = new Script('trim-cache', { beyondLimit: true });

/**
 * Values of items, kept for every worker: by what made them and what they are of, with a time to live, within a bound of bytes
 * that is counted by estimate. The oldest make room for the newest. Nothing but a copy: whatever is missing is computed.
 */
export class ResultCache {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** The values that are there, each in memory of its own; undefined for those that are not. */
  async read(ids: readonly CacheId[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
    if (ids.length === 0) return [];
    const values = await this.redis.mgetBuffer(ids.map((id) => `${this.keys.cache}:${nameOf(id)}`));
    return values.map((value) => (value === null ? undefined : new Uint8Array(value)));
  }

  /**
   * Keeps values that are not kept yet. Gives how many bytes all that is kept takes now. @throws when Redis is at its memory
   * limit: then nothing has changed.
   */
  async write(
    entries: readonly CacheEntry[],
    { bytes, ttlMs }: CacheBounds,
  ): Promise<{ bytes: number; added: number }> {
    const args = [bytes, ttlMs, Date.now() + ttlMs, mostDropped];
    const values = entries.flatMap((entry) => [nameOf(entry.id), cachedBytes(entry), Buffer.from(entry.bytes)]);
    const reply = await writeCache.run(this.redis, [this.keys.cache, this.keys.cacheBytes], [...args, ...values]);
    const [total, added] = reply as [number, number, number];
    return { bytes: total, added };
  }

  /**
   * Drops values whose time is over, and the oldest others until `freeBytes` are free, also while Redis is at its memory limit.
   * One bounded step: `isDone` is false when there may be more to drop.
   */
  async trim(now: number, freeBytes: number): Promise<{ others: number; freed: number; isDone: boolean }> {
    const reply = await trimCache.run(
      this.redis,
      [this.keys.cache, this.keys.cacheBytes],
      [now, freeBytes, mostDropped],
    );
    const [over, others, freed] = reply as [number, number, number];
    return { others, freed, isDone: over + others < mostDropped };
  }

  /** Whether there is any. */
  async isEmpty(): Promise<boolean> {
    return (await this.redis.exists(this.keys.cache)) === 0;
  }
}

/** What an entry takes in Redis, in bytes, by estimate. */
export function cachedBytes({ bytes }: CacheEntry): number {
  return Math.ceil(bytes.byteLength * roundedUp) + bytesBesideValue;
}

function nameOf({ fingerprint, hash }: CacheId): string {
  return `${fingerprint}:${hash}`;
}
