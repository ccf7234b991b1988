import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@millrace/shared/logger';
import { openQueueEvents } from '@millrace/shared/queues';
import { connectRedis, disconnectRedis, type Redis, withRedis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { Family } from '@millrace/shared/tasks/task';

const kinds = [
  'waiting',
  'waiting-children',
  'active',
  'delayed',
  'progress',
  'completed',
  'failed',
  'removed',
] as const;

/** Something that happened to a task, as BullMQ tells it. */
export interface TaskSignal {
  readonly kind: (typeof kinds)[number];
  readonly jobId: string;
  /** Its place in the stream of events, `<ms since 1970>-<n>`. */
  readonly eventId: string;
  /** What was reported, of a progress; the return value, of a completion. */
  readonly data: unknown;
}

interface FamilyEventsParams {
  readonly family: Family;
  readonly redisUrl: string;
  /** For commands that do not block. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  readonly onSignal: (signal: TaskSignal) => void;
}

interface Reading {
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** After an event that nobody can parse, events are read on from the newest; ms. */
const reopenAfterMs = 1000;

/** The events of one family, read by one connection. Redis may go and come back meanwhile. */
export class FamilyEvents {
  private readonly params: FamilyEventsParams;
  private reading: Reading | undefined;
  private closed = false;

  private constructor(params: FamilyEventsParams) {
    this.params = params;
  }

  /** Follows the events from now on. @throws MillraceError REDIS_UNAVAILABLE. */
  static async open(params: FamilyEventsParams): Promise<FamilyEvents> {
    const events = new FamilyEvents(params);
    events.follow(await newestEventId(params));
    return events;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.reading?.close();
  }

  private follow(from: string): void {
    this.reading = read(this.params, from);
    this.reading.ended.catch((error: Error) => this.reopen(error));
  }

  /** One event that BullMQ cannot parse ends its loop for good: what is missed meanwhile is found by who sweeps. */
  private async reopen(error: Error): Promise<void> {
    const { family, log } = this.params;
    if (this.closed) return;
    log.warn({ event: 'events.broken', family, error: error.message }, 'the events of a queue could not be read');
    await this.reading?.close();
    await sleep(reopenAfterMs, undefined, { ref: false });
    if (this.closed) return;
    try {
      this.follow(await newestEventId(this.params));
    } catch (failure) {
      await this.reopen(failure as Error);
    }
  }
}

/** The place of the newest event, behind which a reader misses none. */
export async function newestEventId({
  redis,
  keys,
  family,
}: Pick<FamilyEventsParams, 'redis' | 'keys' | 'family'>): Promise<string> {
  const [newest] = await withRedis(() => redis.xrevrange(keys.bull(family, 'events'), '+', '-', 'COUNT', 1));
  return newest?.[0] ?? '0-0';
}

function read({ family, redisUrl, keys, log, onSignal }: FamilyEventsParams, from: string): Reading {
  const connection = connectRedis({
    ...{ url: redisUrl, prefix: keys.prefix, log },
    role: 'blocking',
    name: `millrace:events:${family}`,
  });
  const events = openQueueEvents({ family, redis: connection, prefix: keys.prefix, log }, from);
  for (const kind of kinds) {
    events.on(kind, (told: { jobId: string; data?: unknown; returnvalue?: unknown }, eventId: string) =>
      onSignal({ kind, jobId: told.jobId, eventId, data: told.data ?? told.returnvalue }),
    );
  }
  return {
    ended: events.run(),
    close: async () => {
      // Disconnecting first ends the blocking read at once instead of after its 10 s.
      const isLive = connection.status === 'ready';
      const gone = new Promise((resolve) => connection.once('end', resolve));
      connection.disconnect();
      const closing = events.close().catch(() => {});
      // Of a connection that was being tried again ioredis never tells the end, which BullMQ's close waits for; and of one whose master
      // has changed BullMQ may wait for an answer that does not come, when the end was told.
      if (isLive) await Promise.race([closing, gone]);
      await disconnectRedis(connection);
    },
  };
}
