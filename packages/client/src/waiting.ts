import { MillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import { openQueueEvents } from '@millrace/shared/queues';
import { connectRedis, disconnectRedis, type Redis, withRedis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { Family } from '@millrace/shared/tasks/task';

/** Somebody waits for one task. */
export interface Watch {
  /** Resolves when the task has ended or is gone; rejects with CLOSED when the client closes. */
  readonly ended: Promise<void>;
  /** Stops waiting; must be called in the end. */
  stop(): void;
}

interface WaitingParams {
  readonly redisUrl: string;
  /** For commands that do not block. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  readonly hasEnded: (ref: TaskRef) => Promise<boolean>;
}

interface Waiter {
  readonly ref: TaskRef;
  readonly since: number;
  resolve(): void;
  reject(error: Error): void;
}

interface FamilyEvents {
  close(): Promise<void>;
}

/** Events can be lost (a reconnect, a trimmed stream), so those who wait longer than this are looked up, as often. */
const sweepEveryMs = 2000;
const lookUpsAtOnce = 500;

/**
 * Waits for tasks to end: one connection a family reads BullMQ's events for all waiters, from a known event on, and a sweep
 * asks for those whose event never came. A watch must begin before its task is added, or the end could be missed.
 */
export class Waiting {
  private readonly params: WaitingParams;
  private readonly waiters = new Map<string, Set<Waiter>>();
  private readonly families = new Map<Family, Promise<FamilyEvents>>();
  private sweepTimer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(params: WaitingParams) {
    this.params = params;
  }

  /** How many wait. */
  get size(): number {
    let size = 0;
    for (const set of this.waiters.values()) size += set.size;
    return size;
  }

  /** @throws MillraceError REDIS_UNAVAILABLE when the events cannot be followed, CLOSED after close. */
  async watch(ref: TaskRef): Promise<Watch> {
    if (this.closed) throw closedError();
    await this.follow(ref.family);
    const key = waiterKey(ref.family, ref.jobId);
    const { waiter, ended } = createWaiter(ref);
    const set = this.waiters.get(key) ?? new Set();
    this.waiters.set(key, set.add(waiter));
    this.sweepTimer ??= setInterval(() => void this.sweep(), sweepEveryMs).unref();
    return { ended, stop: () => this.drop(key, waiter) };
  }

  /** Ends all waits with CLOSED and the connections with them. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.sweepTimer);
    for (const set of this.waiters.values()) for (const waiter of set) waiter.reject(closedError());
    this.waiters.clear();
    const followed = await Promise.allSettled(this.families.values());
    await Promise.all(followed.map((events) => (events.status === 'fulfilled' ? events.value.close() : undefined)));
  }

  private drop(key: string, waiter: Waiter): void {
    const set = this.waiters.get(key);
    set?.delete(waiter);
    if (set?.size === 0) this.waiters.delete(key);
  }

  private settle(family: Family, jobId: string): void {
    const key = waiterKey(family, jobId);
    const set = this.waiters.get(key);
    this.waiters.delete(key);
    for (const waiter of set ?? []) waiter.resolve();
  }

  private async follow(family: Family): Promise<FamilyEvents> {
    const following = this.families.get(family) ?? this.openEvents(family);
    this.families.set(family, following);
    try {
      return await following;
    } catch (error) {
      this.families.delete(family); // Redis was away: the next watch tries again.
      throw error;
    }
  }

  private async openEvents(family: Family): Promise<FamilyEvents> {
    const { redis, redisUrl, keys, log } = this.params;
    const [newest] = await withRedis(() => redis.xrevrange(keys.bull(family, 'events'), '+', '-', 'COUNT', 1));
    const connection = connectRedis({ url: redisUrl, role: 'blocking', name: `millrace:events:${family}`, log });
    const events = openQueueEvents({ family, redis: connection, prefix: keys.prefix, log }, newest?.[0] ?? '0-0');
    for (const event of ['completed', 'failed', 'removed'] as const) {
      events.on(event, ({ jobId }: { jobId: string }) => this.settle(family, jobId));
    }
    return {
      close: async () => {
        // Disconnecting first ends the blocking read at once instead of after its 10 s.
        connection.disconnect();
        await events.close().catch(() => {});
        await disconnectRedis(connection);
      },
    };
  }

  private async sweep(): Promise<void> {
    const old: Waiter[] = [];
    for (const set of this.waiters.values()) {
      for (const waiter of set) if (Date.now() - waiter.since >= sweepEveryMs) old.push(waiter);
    }
    for (let start = 0; start < old.length; start += lookUpsAtOnce) {
      await Promise.all(old.slice(start, start + lookUpsAtOnce).map((waiter) => this.lookUp(waiter)));
    }
  }

  private async lookUp({ ref }: Waiter): Promise<void> {
    // Redis may be away: the next sweep asks again, and whoever waits has a time limit.
    const ended = await this.params.hasEnded(ref).catch(() => false);
    if (ended) this.settle(ref.family, ref.jobId);
  }
}

function createWaiter(ref: TaskRef): { waiter: Waiter; ended: Promise<void> } {
  let resolve = () => {};
  let reject: (error: Error) => void = () => {};
  const ended = new Promise<void>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  // A watch that is stopped may have nobody listening any more when the client closes.
  ended.catch(() => {});
  return { waiter: { ref, since: Date.now(), resolve, reject }, ended };
}

function waiterKey(family: Family, jobId: string): string {
  return `${family}:${jobId}`;
}

function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'The client was closed while it waited.');
}
