import type { Redis } from '../redis/connection.ts';
import { EndedTasks } from '../redis/ended-tasks.ts';
import type { Keys } from '../redis/keys.ts';
import { type Family, families, taskDefaults } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

/** Jobs looked at in one round and set. */
const perRound = 1000;

interface UnlistedParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly now: () => number;
}

/**
 * Lists ended jobs that are missing among the ended tasks, so that retention removes them in the end: a worker lists a task as it
 * ends it, but BullMQ also fails jobs by itself, and a retry that broke off leaves one out.
 */
export function unlistedDuty(params: UnlistedParams): Duty {
  const cursors = new Map<string, string>();
  return {
    name: 'unlisted',
    everyMs: 60_000,
    run: async () => {
      const listed = await Promise.all(families.map((family) => sweepFamily(params, family, cursors)));
      return listed.reduce((sum, count) => sum + count, 0);
    },
  };
}

/** Goes on round by round through BullMQ's sets, while they have more jobs than are listed. */
async function sweepFamily(
  { redis, keys, now }: UnlistedParams,
  family: Family,
  cursors: Map<string, string>,
): Promise<number> {
  const sets = [keys.bull(family, 'completed'), keys.bull(family, 'failed')];
  const [listed, ...sizes] = await Promise.all([keys.ended(family), ...sets].map((key) => redis.zcard(key)));
  if (sizes.reduce((sum, size) => sum + size, 0) <= (listed ?? 0)) return 0;
  let found = 0;
  for (const set of sets) {
    const [cursor, members] = await redis.zscan(set, cursors.get(set) ?? '0', 'COUNT', perRound);
    cursors.set(set, cursor);
    const jobIds = members.filter((_, index) => index % 2 === 0);
    found += await new EndedTasks(redis, keys).list(family, jobIds, now() + taskDefaults.failedTtlMs);
  }
  return found;
}
