import type { Family } from '../tasks/task.ts';
import { type Redis, withRedis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** The tasks of one priority that wait. */
interface WaitingClass {
  /** 0 is BullMQ's `wait` list: stalled tasks on their way back to their priority. */
  readonly priority: number;
  readonly tasks: number;
  /** Since when the one whose turn it is could run, in ms since 1970. */
  readonly since: number | undefined;
}

/** How many tasks ended since some moment, and when the first of them did. */
export interface EndedSince {
  readonly count: number;
  readonly firstAt: number | undefined;
}

/** How the queue of a family stood at one moment. */
export interface QueueFacts {
  /** Tasks that wait and may run now; those of a paused queue and parents that wait for children count too. */
  readonly queued: number;
  /** Tasks whose time has not come: delayed ones, and those between two attempts. */
  readonly scheduled: number;
  /** Those of the scheduled whose time has come: nobody has moved them yet, as when no worker lives. */
  readonly due: number;
  /** Those of the queued that wait for their children, and that no worker could take now. */
  readonly parents: number;
  readonly running: number;
  readonly succeeded: number;
  /** Ended otherwise: failed, cancelled, expired. */
  readonly failed: number;
  readonly paused: boolean;
  /** What waits by priority, most urgent first; at most 64 priorities. */
  readonly waiting: readonly WaitingClass[];
  /** Tasks that ended since each of the moments asked for. */
  readonly ended: readonly EndedSince[];
}

const queueFacts = new Script('queue-facts');
const listedPriorities = 64;
const parts = ['wait', 'paused', 'prioritized', 'delayed', 'waiting-children', 'active', 'completed', 'failed', 'meta'];

type Reply = [
  counts: [number, number, number, number, number, number, number, number],
  paused: number,
  due: number,
  ended: [number, number][],
  classes: [number, number, string | null, string | null][],
];

/**
 * One look at the queue of a family.
 * @throws MillraceError REDIS_UNAVAILABLE.
 */
export async function readQueueFacts(
  { redis, keys }: { redis: Redis; keys: Keys },
  family: Family,
  endedSince: readonly number[],
): Promise<QueueFacts> {
  const queueKeys = parts.map((part) => keys.bull(family, part));
  const args = [keys.bull(family, ''), listedPriorities, Date.now(), ...endedSince];
  const [counts, paused, due, ended, classes] = (await withRedis(() =>
    queueFacts.run(redis, queueKeys, args),
  )) as Reply;
  const [wait, pausedList, prioritized, delayed, waitingChildren, active, completed, failed] = counts;
  return {
    queued: wait + pausedList + prioritized + waitingChildren,
    scheduled: delayed,
    due,
    parents: waitingChildren,
    running: active,
    succeeded: completed,
    failed,
    paused: paused === 1,
    waiting: classes.map(([priority, tasks, timestamp, opts]) => ({
      priority,
      tasks,
      since: dueTime(timestamp, opts),
    })),
    ended: ended.map(([count, firstAt]) => ({ count, firstAt: count === 0 ? undefined : firstAt })),
  };
}

/** When a job could run: created, plus the delay it was given. */
function dueTime(timestamp: string | null, opts: string | null): number | undefined {
  if (timestamp === null) return undefined;
  return Number(timestamp) + delayOf(opts);
}

/** Other programs write jobs too: options that cannot be read give no delay. */
function delayOf(opts: string | null): number {
  try {
    const { delay }: { delay?: unknown } = JSON.parse(opts ?? '{}');
    return typeof delay === 'number' ? delay : 0;
  } catch {
    return 0;
  }
}
