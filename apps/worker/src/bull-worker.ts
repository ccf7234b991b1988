import { minutesKept } from '@millrace/shared/queue-rates';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Family } from '@millrace/shared/tasks/task';
import { type Job, Worker } from 'bullmq';

/**
 * A dead worker's tasks are back with others within lock + two stalled checks, 19 s at the most: the workers take turns with the
 * check, and the one whose turn it was may be the next to die. In ms.
 */
export const lockMs = 12_000;
const stalledCheckMs = 3500;
/** A stall is nobody's fault and must not fail a task; crashes are counted elsewhere. */
const stallsAllowed = 1000;
/** Seconds that a fetch blocks on an empty queue. */
const drainDelaySeconds = 5;

interface BullWorkerParams<Result> {
  readonly family: Family;
  readonly redis: Redis;
  readonly prefix: string;
  readonly workerId: string;
  readonly process: (job: Job) => Promise<Result>;
  /** Called as soon as a job is fetched, before BullMQ calls the processor. */
  readonly onFetch: (job: Job) => void;
  readonly onError: (error: Error) => void;
}

/** BullMQ's worker of a family, with the bounds that Millrace promises; it fetches once it is run. */
export function openBullWorker<Result>(params: BullWorkerParams<Result>): Worker<unknown, Result> {
  const { family, redis, prefix, workerId, process, onFetch, onError } = params;
  const worker = new Worker<unknown, Result>(family, (job) => process(job), {
    connection: redis,
    prefix,
    name: workerId,
    autorun: false,
    concurrency: 1,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount: stallsAllowed,
    drainDelay: drainDelaySeconds,
    skipVersionCheck: true,
    metrics: { maxDataPoints: minutesKept },
  });
  worker.on('active', (job) => onFetch(job));
  worker.on('error', onError);
  return worker;
}
