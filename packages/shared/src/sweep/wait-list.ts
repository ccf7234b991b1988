import { moveToPriority, type TaskQueue } from '../queues.ts';
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
  const ids = await queue.getRanges(['wait'], 0, movedPerRound - 1, true);
  // A job that was pulled meanwhile is left alone by BullMQ: changePriority moves only what still waits.
  await Promise.allSettled(ids.map(async (id) => await moveToPriority(queue, id, await priorityOf(queue, id))));
  return ids.length;
}

/** Its priority may have been changed since it was added with its options. */
async function priorityOf(queue: TaskQueue, id: string): Promise<number> {
  const job = await queue.getJob(id).catch((error: unknown) => {
    // One that is no JSON is moved like any other: a worker says what is wrong with it.
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  });
  return job?.priority || job?.opts.priority || taskDefaults.priority;
}
