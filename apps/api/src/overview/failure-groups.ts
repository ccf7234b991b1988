import { parseFailedReason } from '@millrace/shared/errors';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { type FailedJob, type NewestFailed, readNewestFailed } from '@millrace/shared/redis/newest-failed';
import { taskIdOf } from '@millrace/shared/tasks/ids';
import { type Family, families } from '@millrace/shared/tasks/task';
import type { Overview } from './overview-schema.ts';

type Failures = Overview['failures'];
type Group = Failures['groups'][number];

/** Failed tasks of a family that are looked at. */
const examined = 500;
const mostGroups = 50;
/** Wishes of people, no failures. */
const wished: readonly string[] = ['CANCELLED', 'EXPIRED'];

/** Failed tasks by type and code. What has not changed since the last look is not read again. */
export class FailureGroups {
  private readonly side: { readonly redis: Redis; readonly keys: Keys };
  private readonly seen = new Map<Family, NewestFailed>();

  constructor(side: { readonly redis: Redis; readonly keys: Keys }) {
    this.side = side;
  }

  /** @throws MillraceError REDIS_UNAVAILABLE. */
  async read(): Promise<Failures> {
    const newest = await Promise.all(families.map(async (family) => [family, await this.look(family)] as const));
    const groups = newest.flatMap(([family, { jobs }]) => groupsOf(family, jobs));
    groups.sort((a, b) => b.newest.at.localeCompare(a.newest.at));
    return {
      examined: newest.reduce((sum, [, { jobs }]) => sum + jobs.length, 0),
      total: newest.reduce((sum, [, { all }]) => sum + all, 0),
      groups: groups.slice(0, mostGroups),
    };
  }

  private async look(family: Family): Promise<NewestFailed> {
    const found = await readNewestFailed(this.side, family, { count: examined, seen: this.seen.get(family) });
    this.seen.set(family, found);
    return found;
  }
}

/** The failed tasks of a family by type and code; `jobs` come newest first. */
function groupsOf(family: Family, jobs: readonly FailedJob[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { jobId, name, reason, at } of jobs) {
    const { code, detail } = parseFailedReason(reason);
    if (wished.includes(code)) continue;
    const key = JSON.stringify([name, code]);
    const group = groups.get(key);
    const newest = { id: taskIdOf({ family, jobId }), at: new Date(at).toISOString(), message: detail };
    if (group === undefined) groups.set(key, { family, type: name, code, tasks: 1, newest });
    else group.tasks += 1;
  }
  return [...groups.values()];
}
