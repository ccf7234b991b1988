import { z } from 'zod';
import { type Family, families, priorities } from '../tasks/task.ts';
import { type Redis, withRedis } from './connection.ts';
import type { Keys } from './keys.ts';
import { type EndedSince, type QueueFacts, readQueueFacts } from './queue-facts.ts';
import type { WorkerRegistry } from './workers.ts';

/** How long back ended tasks are counted, in ms: the throughput that is told, and the one of a rush that has just begun. */
const observedMs = [5 * 60_000, 30_000] as const;
/** Fewer ms make no rate. */
const shortestMs = 5000;
/** Enough workers empty the queue in so many ms, unless DRAIN_TARGET says otherwise. */
const usualDrainMs = 60_000;
/** The rate of workers that had little to do says little of what they could: so many times as many are wanted at most. */
const mostGrowth = 10;

const count = z.int().min(0);

export const queueReportSchema = z
  .object({
    family: z.enum(families),
    paused: z.boolean(),
    counts: z.object({
      scheduled: count.meta({ description: 'Their time has not come: delayed, or between two attempts.' }),
      queued: count,
      running: count.meta({ description: 'Held by a worker.' }),
      succeeded: count,
      failed: count.meta({ description: 'Ended otherwise: failed, cancelled or expired.' }),
    }),
    waiting: z.array(z.object({ priority: z.int(), name: z.string().nullable(), tasks: count })).meta({
      description: 'What waits by priority, most urgent first; 0 are tasks on their way back to their priority.',
    }),
    oldestWaitingMs: z.number().nullable().meta({
      description: 'How long the longest waiting of the tasks whose turn is next in their priority has waited.',
    }),
    endedPerMinute: z
      .number()
      .meta({ description: 'Tasks that ended, over the last five minutes or since the first of them.' }),
    drainMs: z.number().nullable().meta({
      description: 'Until all that waits or runs has ended at the present rate; null when that is not known.',
    }),
    workers: count.meta({ description: 'Live workers of the family.' }),
    wantedWorkers: count.meta({
      description:
        'Workers that would do what may run now within DRAIN_TARGET; at least 1, at most ten times as many as live.',
    }),
  })
  .meta({ id: 'Queue', description: 'The queue of a family.' });
export type QueueReport = z.infer<typeof queueReportSchema>;

interface Observation {
  readonly family: Family;
  readonly facts: QueueFacts;
  readonly workers: number;
  readonly now: number;
  /** DRAIN_TARGET, in ms. */
  readonly drainTargetMs?: number | undefined;
}

/** How the queues stand, and the facts that it is told from. */
export interface ObservedQueue {
  readonly facts: QueueFacts;
  readonly report: QueueReport;
}

interface QueueSide {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly workers: WorkerRegistry;
}

/**
 * How the queue of each family stands at this moment.
 * @param drainTargetMs how soon a queue should be empty, in ms; a minute when left out
 * @throws MillraceError REDIS_UNAVAILABLE.
 */
export async function readQueueReports(side: QueueSide, drainTargetMs?: number): Promise<QueueReport[]> {
  return (await observeQueues(side, drainTargetMs)).map(({ report }) => report);
}

/** The same with the facts behind it, in one look. @throws MillraceError REDIS_UNAVAILABLE. */
export async function observeQueues(side: QueueSide, drainTargetMs?: number): Promise<ObservedQueue[]> {
  const now = Date.now();
  const moments = observedMs.map((ms) => now - ms);
  const [beats, ...facts] = await Promise.all([
    withRedis(() => side.workers.list()),
    ...families.map(async (family) => [family, await readQueueFacts(side, family, moments)] as const),
  ]);
  return facts.map(([family, seen]) => {
    const workers = beats.filter((beat) => beat.families.includes(family)).length;
    return { facts: seen, report: reportOf({ family, facts: seen, workers, now, drainTargetMs }) };
  });
}

/** What can be said of a queue from one look at it. */
export function reportOf({ family, facts, workers, now, drainTargetMs = usualDrainMs }: Observation): QueueReport {
  const { scheduled, queued, running, succeeded, failed } = facts;
  const since = facts.waiting.flatMap(({ since: time }) => (time === undefined ? [] : [time]));
  const [told = 0, ...recent] = facts.ended.map((ended) => endedPerMs(ended, now));
  const perMs = Math.max(told, ...recent);
  return {
    family,
    paused: facts.paused,
    counts: { scheduled, queued, running, succeeded, failed },
    waiting: facts.waiting.map(({ priority, tasks }) => ({ priority, name: nameOf(priority), tasks })),
    oldestWaitingMs: since.length === 0 ? null : Math.max(0, now - Math.min(...since)),
    endedPerMinute: Math.round(told * 60_000 * 100) / 100,
    drainMs: timeToDrain({ backlog: queued + running, perMs, workers }),
    workers,
    wantedWorkers: wantedWorkers({
      workMs: timeToDrain({ backlog: workOf(facts), perMs, workers }),
      workers,
      drainTargetMs,
    }),
  };
}

function endedPerMs({ count: ended, firstAt }: EndedSince, now: number): number {
  return firstAt === undefined ? 0 : ended / Math.max(shortestMs, now - firstAt);
}

function timeToDrain({ backlog, perMs, workers }: { backlog: number; perMs: number; workers: number }): number | null {
  if (backlog === 0) return 0;
  return perMs === 0 || workers === 0 ? null : Math.round(backlog / perMs);
}

/**
 * What more workers could do sooner: all that may run now, of any priority, and what runs. Not what waits for its children, and
 * of a paused queue only what runs.
 */
function workOf({ queued, parents, due, running, paused }: QueueFacts): number {
  return running + (paused ? 0 : queued - parents + due);
}

interface Work {
  /** What the present workers take for it, in ms; null when that is not known. */
  readonly workMs: number | null;
  readonly workers: number;
  readonly drainTargetMs: number;
}

/** In proportion to what the present workers take; while nothing is known of that, as many as there are. */
function wantedWorkers({ workMs, workers, drainTargetMs }: Work): number {
  if (workMs === null) return Math.max(1, workers);
  const wanted = Math.ceil((workers * workMs) / drainTargetMs);
  return Math.max(1, Math.min(wanted, workers * mostGrowth));
}

function nameOf(priority: number): string | null {
  return Object.entries(priorities).find(([, number]) => number === priority)?.[0] ?? null;
}
