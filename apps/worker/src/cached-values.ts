import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { HighWater } from '@millrace/shared/redis/memory';
import { isOutOfMemory } from '@millrace/shared/redis/memory-limit';
import {
  type CacheBounds,
  type CacheEntry,
  type CacheId,
  cachedBytes,
  cacheShare,
  ResultCache,
} from '@millrace/shared/redis/result-cache';
import { readRoom } from '@millrace/shared/redis/room';
import type { SharedValues } from './process/known-values.ts';

interface CachedValuesParams {
  /** A connection of its own, which says soon that Redis is away. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly bounds: CacheBounds;
  readonly highWater: HighWater;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** An answer that takes longer is not waited for: by then much of it could be computed. ms. */
const readWithinMs = 100;
/** After a failure, or an answer that took too long, nothing is asked or written for so long; ms. */
const pauseMs = 1000;
/** What Redis says of its memory is believed for so long; ms. */
const roomFreshMs = 500;
/** Values that are on their way to Redis at once; beyond, Redis is too slow for them, and they are not kept. Bytes. */
const mostUnderWay = 8 * 2 ** 20;
/** Values asked for in one command. */
const readAtOnce = 256;

type Outcome = 'hit' | 'miss' | 'written' | 'refused' | 'failed';

/**
 * The result cache as a worker uses it: never in the way. An answer has a deadline, a failure closes it for a while, and
 * nothing is written while Redis is short of memory or slow. Whatever goes wrong, the values are computed.
 */
export class CachedValues implements SharedValues {
  private readonly params: CachedValuesParams;
  private readonly cache: ResultCache;
  private closedUntil = 0;
  private underWay = 0;
  private room: { readonly at: number; readonly free: Promise<number> } | undefined;

  constructor(params: CachedValuesParams) {
    this.params = params;
    this.cache = new ResultCache(params.redis, params.keys);
  }

  get isOpen(): boolean {
    return this.params.redis.status === 'ready' && this.params.now() >= this.closedUntil;
  }

  async read(ids: readonly CacheId[]): Promise<readonly (Uint8Array<ArrayBuffer> | undefined)[]> {
    const none = ids.map(() => undefined);
    try {
      const values = await within(readWithinMs, this.readAll(ids));
      if (values === undefined) {
        this.close(ids.length, `no answer within ${readWithinMs} ms`);
        return none;
      }
      const hits = values.filter((value) => value !== undefined).length;
      this.count('hit', hits);
      this.count('miss', ids.length - hits);
      return values;
    } catch (error) {
      this.close(ids.length, (error as Error).message);
      return none;
    }
  }

  write(entries: readonly CacheEntry[]): void {
    const bytes = entries.reduce((sum, entry) => sum + cachedBytes(entry), 0);
    if (this.underWay + bytes > mostUnderWay) {
      this.count('refused', entries.length);
      return;
    }
    this.underWay += bytes;
    void this.send(entries, bytes).finally(() => {
      this.underWay -= bytes;
    });
  }

  private async readAll(ids: readonly CacheId[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
    const parts: Promise<(Uint8Array<ArrayBuffer> | undefined)[]>[] = [];
    for (let start = 0; start < ids.length; start += readAtOnce)
      parts.push(this.cache.read(ids.slice(start, start + readAtOnce)));
    return (await Promise.all(parts)).flat();
  }

  private async send(entries: readonly CacheEntry[], bytes: number): Promise<void> {
    const { bounds, metrics } = this.params;
    try {
      if (bytes > (await this.freeBytes())) {
        this.count('refused', entries.length);
        return;
      }
      const written = await this.cache.write(entries, bounds);
      this.count('written', written.added);
      metrics.set('millrace_result_cache_bytes', {}, written.bytes);
    } catch (error) {
      if (isOutOfMemory(error)) this.count('refused', entries.length);
      else this.close(entries.length, (error as Error).message);
    }
  }

  /** How much of the memory of Redis the cache may still take. One look is shared by all that need it at about the same time. */
  private async freeBytes(): Promise<number> {
    const { redis, keys, highWater, now } = this.params;
    if (this.room === undefined || now() - this.room.at > roomFreshMs) {
      const free = readRoom(redis, keys, highWater).then((room) => cacheShare * room.highWater - room.taken);
      this.room = { at: now(), free };
    }
    return await this.room.free;
  }

  private close(values: number, reason: string): void {
    const { log, now } = this.params;
    this.closedUntil = now() + pauseMs;
    this.room = undefined;
    this.count('failed', values);
    log.debug({ event: 'result-cache.failed', values, reason }, 'the result cache did not answer: values are computed');
  }

  private count(outcome: Outcome, values: number): void {
    if (values > 0) this.params.metrics.count('millrace_result_cache_values_total', { outcome }, values);
  }
}

/** What a promise gives, or undefined when it takes too long; then nobody hears how it ends. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  promise.catch(() => {});
  try {
    return await Promise.race([promise, sleep(ms, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}
