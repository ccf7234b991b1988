import type { TaskRef } from '../tasks/ids.ts';
import { families } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';

/** The task behind BullMQ's key of a job, `<prefix>:<family>:<jobId>`; undefined for any other key. */
export function taskOfJobKey(keys: Keys, jobKey: string): TaskRef | undefined {
  const family = families.find((name) => jobKey.startsWith(keys.bull(name, '')));
  return family === undefined ? undefined : { family, jobId: jobKey.slice(keys.bull(family, '').length) };
}

/** The tasks that a task still waits for. */
export async function pendingChildren(
  { redis, keys }: { redis: Redis; keys: Keys },
  { family, jobId }: TaskRef,
): Promise<TaskRef[]> {
  const jobKeys = await redis.smembers(keys.bull(family, `${jobId}:dependencies`));
  return jobKeys.sort().flatMap((jobKey) => taskOfJobKey(keys, jobKey) ?? []);
}
