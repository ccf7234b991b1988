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

/** Lets a task wait no longer for one that is not there any more; BullMQ does so itself when it removes a job. */
export async function forgetChild(
  { redis, keys }: { redis: Redis; keys: Keys },
  parent: TaskRef,
  child: TaskRef,
): Promise<void> {
  await redis.srem(keys.bull(parent.family, `${parent.jobId}:dependencies`), keys.bull(child.family, child.jobId));
}
