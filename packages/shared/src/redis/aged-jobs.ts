import type { Family } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** BullMQ's score of a prioritized job is its priority times this, plus a counter. */
const classWidth = 2 ** 32;
/** Jobs of one priority, and priorities in one step: a bounded pause for Redis. */
const perStep = 200;

/** Waiting jobs that have waited too long. */
interface AgedJobs {
  /** Whether jobs of other priorities wait as well, so that it matters who goes first. */
  readonly mixed: boolean;
  /** Oldest first. */
  readonly jobIds: readonly string[];
}

const agedJobs = new Script('aged-jobs');

/**
 * The jobs of a family that could run at `before` (ms since 1970) or earlier and still wait, up to 200 of each priority. Those
 * that stand at the very front already are left out.
 */
export async function readAgedJobs(
  { redis, keys }: { redis: Redis; keys: Keys },
  family: Family,
  before: number,
): Promise<AgedJobs> {
  const found: { jobId: string; due: number }[] = [];
  let priorities = 0;
  for (let from = `(${classWidth}`; from !== ''; ) {
    const reply = await agedJobs.run(
      redis,
      [keys.bull(family, 'prioritized')],
      [keys.bull(family, ''), before, from, perStep],
    );
    const [next, met, pairs] = reply as [string, number, string[]];
    for (let at = 0; at < pairs.length; at += 2) found.push({ jobId: pairs[at] ?? '', due: Number(pairs[at + 1]) });
    priorities += met;
    from = next;
  }
  found.sort((a, b) => a.due - b.due);
  return { mixed: priorities > 1, jobIds: found.map(({ jobId }) => jobId) };
}
