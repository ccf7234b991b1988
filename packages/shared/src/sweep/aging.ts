import { moveToFront, type TaskQueue } from '../queues.ts';
import { readAgedJobs } from '../redis/aged-jobs.ts';
import type { Redis } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { type Family, priorities } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

/** Tasks raised in one round and family, the oldest first; more than any number of workers start until the next. */
const raisedPerRound = 1000;

interface AgingParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  /** How long a task waits before it is raised above all that have not, in ms. */
  readonly boundMs: number;
  readonly now: () => number;
}

/**
 * Raises tasks that have waited for `boundMs` above all that have not: to the very front of the first priority, where their ids,
 * which sort by arrival, decide among them. So whatever floods above it, a task at the head of its priority starts within about
 * the bound.
 */
export function agingDuty(params: AgingParams): Duty {
  return {
    name: 'aging',
    everyMs: Math.min(1000, params.boundMs / 4),
    run: async () => {
      const raised = await Promise.all([...params.queues].map(([family, queue]) => sweepFamily(params, family, queue)));
      return raised.reduce((sum, count) => sum + count, 0);
    },
  };
}

async function sweepFamily(params: AgingParams, family: Family, queue: TaskQueue): Promise<number> {
  const { boundMs, now } = params;
  const { mixed, jobIds } = await readAgedJobs(params, family, now() - boundMs);
  // Of one priority alone the oldest goes first anyway.
  if (!mixed) return 0;
  const oldest = jobIds.slice(0, raisedPerRound);
  await Promise.all(oldest.map((jobId) => moveToFront(queue, jobId, priorities.critical)));
  return oldest.length;
}
