import { MillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { TaskEnding } from '@millrace/shared/redis/task-record';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { Family } from '@millrace/shared/tasks/task';
import { FamilyEvents, type TaskSignal } from './family-events.ts';

/** Somebody waits for one task. */
export interface Watch {
  /** Resolves when the task has ended or is gone; rejects with CLOSED when the client closes. */
  readonly ended: Promise<void>;
  /** The event that told the end, once there was one. */
  readonly told: () => TaskSignal | undefined;
  /** Stops waiting; must be called in the end. */
  stop(): void;
}

/** Somebody hears all that happens to one task. */
export interface Listening {
  /** Must be called in the end. */
  stop(): void;
}

interface Listener {
  /** Something happened. */
  onSignal(signal: TaskSignal): void;
  /** An event was lost, or may have been: time to look for oneself. */
  onLook(): void;
  onClose(): void;
}

interface WaitingParams {
  readonly redisUrl: string;
  /** For commands that do not block. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  /** Which of some tasks of a family have ended, or are gone, in order. */
  readonly endings: (family: Family, jobIds: readonly string[]) => Promise<TaskEnding[]>;
}

interface Waiter {
  readonly since: number;
  told: TaskSignal | undefined;
  resolve(): void;
  reject(error: Error): void;
}

/** Who is interested in one task. */
interface Audience {
  readonly ref: TaskRef;
  readonly waiters: Set<Waiter>;
  readonly listeners: Set<Listener>;
}

/** Events can be lost (a reconnect, a trimmed stream), so those who wait longer than this are looked up, as often. */
const sweepEveryMs = 2000;
const lookUpsAtOnce = 500;
/** Who listens looks for more than the end, but seldom: with so many sweeps. */
const sweepsPerLook = 5;
/** A watch begins before its task is added: so long one that is not there may still be on its way; ms. */
const onItsWayMs = 6000;
const lastSignals: readonly TaskSignal['kind'][] = ['completed', 'failed', 'removed'];

/**
 * Waits for tasks to end, and follows what happens to them: one connection a family reads BullMQ's events for all, from a known
 * event on, and a sweep asks for those whose event never came. A watch must begin before its task is added, or the end could be
 * missed.
 */
export class Waiting {
  private readonly params: WaitingParams;
  private readonly audiences = new Map<string, Audience>();
  private readonly families = new Map<Family, Promise<FamilyEvents>>();
  private sweepTimer: NodeJS.Timeout | undefined;
  private sweeping = false;
  private sweeps = 0;
  private closed = false;

  constructor(params: WaitingParams) {
    this.params = params;
  }

  /** How many wait or listen. */
  get size(): number {
    let size = 0;
    for (const { waiters, listeners } of this.audiences.values()) size += waiters.size + listeners.size;
    return size;
  }

  /** @throws MillraceError REDIS_UNAVAILABLE when the events cannot be followed, CLOSED after close. */
  async watch(ref: TaskRef): Promise<Watch> {
    await this.follow(ref.family);
    const audience = this.audienceOf(ref);
    const { waiter, ended } = createWaiter();
    audience.waiters.add(waiter);
    return {
      ended,
      told: () => waiter.told,
      stop: () => {
        audience.waiters.delete(waiter);
        this.dismiss(audience);
      },
    };
  }

  /** @throws MillraceError REDIS_UNAVAILABLE when the events cannot be followed, CLOSED after close. */
  async listen(ref: TaskRef, listener: Listener): Promise<Listening> {
    await this.follow(ref.family);
    const audience = this.audienceOf(ref);
    audience.listeners.add(listener);
    return {
      stop: () => {
        audience.listeners.delete(listener);
        this.dismiss(audience);
      },
    };
  }

  /** Ends all waits with CLOSED and the connections with them. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.sweepTimer);
    for (const { waiters, listeners } of this.audiences.values()) {
      for (const waiter of waiters) waiter.reject(closedError());
      for (const listener of listeners) listener.onClose();
    }
    this.audiences.clear();
    const followed = await Promise.allSettled(this.families.values());
    await Promise.all(followed.map((events) => (events.status === 'fulfilled' ? events.value.close() : undefined)));
  }

  private audienceOf(ref: TaskRef): Audience {
    const key = keyOf(ref);
    const audience = this.audiences.get(key) ?? { ref, waiters: new Set(), listeners: new Set() };
    this.audiences.set(key, audience);
    this.sweepTimer ??= setInterval(() => void this.sweep(), sweepEveryMs).unref();
    return audience;
  }

  private dismiss(audience: Audience): void {
    const { ref, waiters, listeners } = audience;
    const key = keyOf(ref);
    if (waiters.size + listeners.size === 0 && this.audiences.get(key) === audience) this.audiences.delete(key);
  }

  private settle(audience: Audience, told?: TaskSignal): void {
    for (const waiter of audience.waiters) {
      waiter.told = told;
      waiter.resolve();
    }
    audience.waiters.clear();
    this.dismiss(audience);
  }

  private async follow(family: Family): Promise<void> {
    if (this.closed) throw closedError();
    const following = this.families.get(family) ?? this.openEvents(family);
    this.families.set(family, following);
    try {
      await following;
    } catch (error) {
      this.families.delete(family); // Redis was away: the next watch tries again.
      throw error;
    }
    // It may have been closed over that.
    if (this.closed) throw closedError();
  }

  private openEvents(family: Family): Promise<FamilyEvents> {
    const onSignal = (signal: TaskSignal) => this.hear(family, signal);
    return FamilyEvents.open({ ...this.params, family, onSignal });
  }

  private hear(family: Family, signal: TaskSignal): void {
    const audience = this.audiences.get(keyOf({ family, jobId: signal.jobId }));
    if (audience === undefined) return;
    for (const listener of audience.listeners) listener.onSignal(signal);
    if (lastSignals.includes(signal.kind)) this.settle(audience, signal);
  }

  /** One at a time: while Redis is slow or away, rounds must not pile up. */
  private async sweep(): Promise<void> {
    if (this.sweeping) return;
    this.sweeping = true;
    try {
      const interested = [...this.audiences.values()].filter(mayHaveMissed);
      for (const family of this.families.keys()) {
        await this.lookUp(
          family,
          interested.filter(({ ref }) => ref.family === family),
        );
      }
      this.sweeps += 1;
      if (this.sweeps % sweepsPerLook === 0) for (const audience of this.audiences.values()) haveLook(audience);
    } catch {
      // Redis is away: the next round asks again, and whoever waits has a time limit.
    } finally {
      this.sweeping = false;
    }
  }

  private async lookUp(family: Family, audiences: readonly Audience[]): Promise<void> {
    for (let start = 0; start < audiences.length; start += lookUpsAtOnce) {
      const some = audiences.slice(start, start + lookUpsAtOnce);
      const jobIds = some.map(({ ref }) => ref.jobId);
      const endings = await this.params.endings(family, jobIds);
      some.forEach((audience, index) => {
        const isGone = endings[index] === 'gone' && longestWait(audience) >= onItsWayMs;
        if (endings[index] !== 'ended' && !isGone) return;
        haveLook(audience);
        this.settle(audience);
      });
    }
  }
}

/** Somebody has waited for longer than an event takes, or listens. */
function mayHaveMissed(audience: Audience): boolean {
  return audience.listeners.size > 0 || longestWait(audience) >= sweepEveryMs;
}

function haveLook({ listeners }: Audience): void {
  for (const listener of listeners) listener.onLook();
}

function longestWait({ waiters }: Audience): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { since } of waiters) first = Math.min(first, since);
  return Date.now() - first;
}

function createWaiter(): { waiter: Waiter; ended: Promise<void> } {
  let resolve = () => {};
  let reject: (error: Error) => void = () => {};
  const ended = new Promise<void>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  // A watch that is stopped may have nobody listening any more when the client closes.
  ended.catch(() => {});
  return { waiter: { since: Date.now(), told: undefined, resolve, reject }, ended };
}

function keyOf({ family, jobId }: TaskRef): string {
  return `${family}:${jobId}`;
}

function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'The client was closed while it waited.');
}
