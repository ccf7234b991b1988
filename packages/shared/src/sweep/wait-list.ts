import type { TaskQueue } from '../queues.ts';
import { taskDefaults } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

/** Jobs moved in one round and family. */
const movedPerRound = 200;

/**
 * Moves jobs from BullMQ's `wait` list, which goes ahead of every priority, to their priority: stalled jobs come back there,
 * and jobs of bare producers that gave none (they get the normal one).
 */
export function waitListDuty(queues: Iterable<TaskQueue>): Duty {
  const all = [...queues];
  return {
    name: 'wait-list',
    everyMs: 1000,
    run: async () => {
      const moved = await Promise.all(all.map(sweepQueue));
      return moved.reduce((sum, count) => sum + count, 0);
    },
  };
}

async function sweepQueue(queue: TaskQueue): Promise<number> {
  const jobs = (await queue.getJobs(['wait'], 0, movedPerRound - 1, true)).filter((job) => job !== undefined);
  // A job that was pulled meanwhile is left alone by BullMQ: changePriority moves only what still waits.
  await Promise.allSettled(
    // Its priority may have been changed since it was added with its options.
    jobs.map((job) => job.changePriority({ priority: job.priority || job.opts.priority || taskDefaults.priority })),
  );
  return jobs.length;
}
