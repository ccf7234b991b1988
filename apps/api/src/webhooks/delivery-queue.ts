import type { Logger } from '@millrace/shared/logger';
import { connectRedis, disconnectRedis, type Redis } from '@millrace/shared/redis/connection';
import { letScriptsPassMemoryLimit } from '@millrace/shared/redis/memory-limit';
import { webhookSchema } from '@millrace/shared/tasks/webhook';
import type { Delivery } from '@millrace/shared/webhook-events';
import { type Job, Queue, Worker } from 'bullmq';
import { z } from 'zod';

/** The queue beside those of the families; its jobs are webhooks, and their ids the webhooks' ids. */
const queueName = 'webhooks';

/** The data of such a job. */
export const deliveryDataSchema = z.object({ v: z.literal(1), ...webhookSchema.shape, body: z.string() });
type DeliveryData = z.infer<typeof deliveryDataSchema>;
export type DeliveryQueue = Queue<DeliveryData, void, string>;

interface OpenParams {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly log: Logger;
}

/** Webhooks that were delivered are remembered for a while, so that one that is queued twice is not sent twice. */
const removeOnComplete = { age: 3600, count: 1000 };
/** Those that were given up are shown on the board. */
const removeOnFail = { age: 7 * 24 * 3600, count: 1000 };
/** Webhooks of a process that died are sent by others within about 20 s: lock and two checks; ms. */
const lockMs = 12_000;
const stalledCheckMs = 3500;
/** A process that died is no fault of the webhook. */
const stallsAllowed = 1000;
/** Webhooks that this process sends at once. */
const sentAtOnce = 64;

/** The queue of webhooks for who adds to it, and how it is closed. Works before Redis is up. */
export function openDeliveryQueue({ redisUrl: url, prefix, log }: OpenParams): {
  queue: DeliveryQueue;
  close(): Promise<void>;
} {
  const redis = connectRedis({ url, prefix, role: 'producer', name: 'millrace:api:webhooks', log });
  // A webhook takes the place of its note, and what it tells was accepted: it is queued while Redis is full, too.
  letScriptsPassMemoryLimit(redis);
  const queue: DeliveryQueue = new Queue(queueName, {
    connection: redis,
    prefix,
    skipWaitingForReady: true,
    skipVersionCheck: true,
    streams: { events: { maxLen: 100 } },
  });
  queue.on('error', () => {});
  return {
    queue,
    close: async () => {
      await queue.close().catch(() => {});
      await disconnectRedis(redis);
    },
  };
}

/** Queues webhooks; one that is there already stays as it is. */
export async function addDeliveries(
  queue: DeliveryQueue,
  deliveries: readonly Delivery[],
  attempts: number,
): Promise<void> {
  if (deliveries.length === 0) return;
  await queue.addBulk(
    deliveries.map(({ id, type, url, body }) => ({
      name: type,
      data: { v: 1, url, body },
      // Why the last try failed stands in failedReason.
      opts: { jobId: id, attempts, backoff: { type: 'custom' }, removeOnComplete, removeOnFail, stackTraceLimit: 1 },
    })),
  );
}

interface WorkerParams extends OpenParams {
  readonly deliver: (job: Job<unknown, void>, token: string) => Promise<void>;
  /** How long until the next try, in ms, when so many have failed. */
  readonly backoff: (failed: number) => number;
}

/** Takes webhooks out of their queue one by one; begins at once. */
export function openDeliveryWorker({ redisUrl: url, prefix, log, deliver, backoff }: WorkerParams): {
  close(): Promise<void>;
} {
  const redis = connectRedis({ url, prefix, role: 'worker', name: 'millrace:api:webhook-worker', log });
  const worker = new Worker<unknown, void>(queueName, (job, token = '') => deliver(job, token), {
    connection: redis,
    prefix,
    concurrency: sentAtOnce,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount: stallsAllowed,
    skipVersionCheck: true,
    settings: { backoffStrategy: backoff },
  });
  worker.on('error', ({ message }) => log.debug({ event: 'webhooks.error', error: message }, 'BullMQ worker error'));
  return { close: () => closeWorker(worker, redis) };
}

async function closeWorker(worker: Worker, redis: Redis): Promise<void> {
  const isLive = redis.status === 'ready';
  const closing = worker.close().catch(() => {});
  // While Redis is away it would wait for its return; what it held is sent by others when the locks lapse.
  if (isLive) await closing;
  await disconnectRedis(redis);
}
