import type { Redis } from '../redis/connection.ts';
import { EndedTasks } from '../redis/ended-tasks.ts';
import type { Keys } from '../redis/keys.ts';
import { TaskIndex } from '../redis/task-index.ts';
import { type Family, families, type JobData } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

const perStep = 500;
const stepsPerRound = 20;

interface SpentInputsParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly now: () => number;
}

/**
 * Forgets the inputs of tasks whose result's time is over: such a task is only remembered to say so, and 100,000 inputs of a
 * family would fill a Redis.
 */
export function spentInputsDuty(params: SpentInputsParams): Duty {
  /** Up to which time each family is done; a new process begins from the first and finds most done already. */
  const doneTo = new Map<Family, number>();
  return {
    name: 'spent-inputs',
    everyMs: 2000,
    run: async () => {
      const forgotten = await Promise.all(families.map((family) => sweepFamily(params, family, doneTo)));
      return forgotten.reduce((sum, count) => sum + count, 0);
    },
  };
}

async function sweepFamily(
  { redis, keys, now }: SpentInputsParams,
  family: Family,
  doneTo: Map<Family, number>,
): Promise<number> {
  const ended = new EndedTasks(redis, keys);
  const index = new TaskIndex(redis, keys);
  let forgotten = 0;
  for (let step = 0; step < stepsPerRound; step += 1) {
    const from = doneTo.get(family) ?? 0;
    const found = await ended.over(family, { from, to: now() }, perStep);
    if (found.length === 0) break;
    const jobIds = found.map(({ jobId }) => jobId);
    const tags = await index.tagsOf(family, jobIds);
    const spent = jobIds.map((jobId, position) => ({ jobId, data: withoutInput(tags[position] ?? []) }));
    forgotten += await ended.forgetInputs(family, spent, now());
    // More tasks of one ms than a step takes must not hold it up.
    doneTo.set(family, Math.max(found.at(-1)?.until ?? 0, from + (found.length === perStep ? 1 : 0)));
    if (found.length < perStep) break;
  }
  return forgotten;
}

function withoutInput(tags: readonly string[]): string {
  const data: JobData = { v: 1, input: null, ...(tags.length === 0 ? {} : { tags: [...tags] }) };
  return JSON.stringify(data);
}
