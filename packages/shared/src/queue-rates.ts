import type { TaskQueue } from './queues.ts';

/** Minutes that BullMQ keeps counts of. */
export const minutesKept = 120;

const minuteMs = 60_000;

/** How many tasks workers ended in each of some minutes, the oldest first; the last is the minute that is running. */
export interface EndedByMinute {
  readonly succeeded: readonly number[];
  /** For good, each by a worker: what is cancelled or expires while it waits is not among them. */
  readonly failed: readonly number[];
}

/**
 * The tasks that ended in each of the last `minutes`, as BullMQ counts them when a job ends: exact also for tasks that were
 * removed since, and whoever started again meanwhile.
 * @param now in ms since 1970.
 */
export async function readEndedByMinute(
  queue: TaskQueue,
  { now, minutes }: { now: number; minutes: number },
): Promise<EndedByMinute> {
  const [completed, failed] = await Promise.all([
    queue.getMetrics('completed', 0, minutes - 1),
    queue.getMetrics('failed', 0, minutes - 1),
  ]);
  return { succeeded: byMinute(completed, { now, minutes }), failed: byMinute(failed, { now, minutes }) };
}

interface BullMetrics {
  readonly meta: { readonly count: number; readonly prevTS: number; readonly prevCount: number };
  /** Counts of whole minutes, the newest first. */
  readonly data: readonly number[];
}

/** BullMQ adds to its list only when a job ends: the minute of `prevTS` is still open, and none after it had a job. */
export function byMinute(
  { meta, data }: BullMetrics,
  { now, minutes }: { now: number; minutes: number },
): readonly number[] {
  const counts = Array.from({ length: minutes }, () => 0);
  if (meta.prevTS === 0) return counts;
  const open = Math.floor(meta.prevTS / minuteMs);
  const current = Math.floor(now / minuteMs);
  [meta.count - meta.prevCount, ...data].forEach((count, age) => {
    // A worker's clock may be ahead of ours: what it counts to the next minute is shown in this one.
    const place = minutes - 1 - Math.max(0, current - open + age);
    if (place >= 0) counts[place] = (counts[place] ?? 0) + count;
  });
  return counts;
}
