import { type JobsOptions, Queue, QueueEvents } from 'bullmq';
import type { Logger } from './logger.ts';
import type { Redis } from './redis/connection.ts';
import type { Family, JobData, TaskOptions } from './tasks/task.ts';
import { priorityNumber, taskDefaults } from './tasks/task.ts';

export type TaskQueue = Queue<unknown, unknown, string>;

/** Events of a queue that Redis keeps; four a task, so about 12,500 tasks back. */
const eventsKept = 50_000;

interface QueueParams {
  readonly family: Family;
  readonly redis: Redis;
  readonly prefix: string;
  readonly log: Logger;
}

/** BullMQ's queue of a family, on a connection that the caller opened and closes. Works before Redis is up. */
export function openQueue({ family, redis, prefix, log }: QueueParams): TaskQueue {
  const queue: TaskQueue = new Queue(family, {
    connection: redis,
    prefix,
    // Together: without the first add() hangs while Redis is down, without the second the queue stays broken afterwards.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    streams: { events: { maxLen: eventsKept } },
  });
  queue.on('error', (error) => log.debug({ event: 'queue.error', family, error: error.message }, 'BullMQ queue error'));
  return queue;
}

/**
 * BullMQ's events of a family, from `lastEventId` on: with a real id none is missed over a reconnect. Needs a connection of
 * its own, of the role `blocking`.
 */
export function openQueueEvents({ family, redis, prefix, log }: QueueParams, lastEventId: string): QueueEvents {
  const events = new QueueEvents(family, {
    connection: redis,
    prefix,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    lastEventId,
  });
  events.on('error', (error) =>
    log.debug({ event: 'queue-events.error', family, error: error.message }, 'BullMQ events error'),
  );
  return events;
}

/** BullMQ's options of a task. Nothing is removed when it ends: the sweeper does that, after its result's time. */
export function jobOptions(jobId: string, options: TaskOptions): JobsOptions {
  const backoff = options.backoff ?? taskDefaults.backoff;
  return {
    jobId,
    priority: priorityNumber(options.priority),
    attempts: options.attempts ?? taskDefaults.attempts,
    backoff: { type: backoff.type, delay: backoff.delayMs, jitter: backoff.jitter ?? taskDefaults.backoff.jitter },
    removeOnComplete: false,
    removeOnFail: false,
    ...(options.delayMs === undefined ? {} : { delay: options.delayMs }),
  };
}

/** The data of a task's job. */
export function jobData(input: unknown, options: TaskOptions, now: number): JobData {
  const { expiresInMs, timeoutMs, resultTtlMs, tags } = options;
  return {
    v: 1,
    input,
    ...(expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(resultTtlMs === undefined ? {} : { resultTtlMs }),
    ...(tags === undefined ? {} : { tags }),
  };
}
