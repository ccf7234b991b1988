import type { TaskQueue } from '../queues.ts';
import type { Redis } from '../redis/connection.ts';
import { EndedTasks } from '../redis/ended-tasks.ts';
import type { Keys } from '../redis/keys.ts';
import type { Family } from '../tasks/task.ts';
import { removeEndedTasks } from './retention.ts';

interface ForgetParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly family: Family;
  readonly queue: TaskQueue;
}

/** BullMQ's field of the attempts that were started; each may have left an outcome. */
const attemptsField = 'ats';

/** Removes ended tasks and their results before their time, for who has read them and nobody else will. */
export async function forgetTasks(params: ForgetParams, jobIds: readonly string[]): Promise<void> {
  if (jobIds.length === 0) return;
  const { redis, keys, family } = params;
  const questions = redis.pipeline();
  for (const jobId of jobIds) questions.hget(keys.bull(family, jobId), attemptsField);
  const replies = (await questions.exec()) ?? [];
  const results = jobIds.flatMap((jobId, index) => {
    const attempts = Number(replies[index]?.[1] ?? 0);
    return Array.from({ length: attempts }, (_, attempt) => keys.result({ family, jobId }, attempt + 1));
  });
  if (results.length > 0) await redis.unlink(...results);
  // One that BullMQ failed by itself is not listed yet.
  await new EndedTasks(redis, keys).list(family, jobIds, Date.now());
  await removeEndedTasks(params, jobIds);
}
