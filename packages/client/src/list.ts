import { MillraceError, type Problem } from '@millrace/shared/errors';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { type IndexPosition, isBehind, type TaskIndex } from '@millrace/shared/redis/task-index';
import { readTaskRecords } from '@millrace/shared/redis/task-record';
import { type Family, families, type TaskState, type TaskView, taskStates } from '@millrace/shared/tasks/task';
import { formatCursor, type ListPosition, parseCursor } from './list-cursor.ts';
import { viewOf } from './view.ts';

/** Which tasks are listed; all that is given must hold. */
export interface ListFilter {
  readonly state?: TaskState | undefined;
  readonly type?: string | undefined;
  readonly tag?: string | undefined;
}

/** How much is listed, and from where. */
export interface ListBounds {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A part of a list, newest first. */
export interface ListPage {
  readonly tasks: readonly TaskView[];
  /** Where the next part begins; null after the last. A part may be short, even empty, and still have one. */
  readonly cursor: string | null;
}

interface ListerParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly index: TaskIndex;
  /** Puts into the index what BullMQ made by itself. */
  readonly complete: (family: Family) => Promise<void>;
}

/** Tasks of one page at most. */
const longestPage = 200;
/** Tasks looked at for one answer: a rare state must not hold Redis. */
const mostExamined = 5000;
const examinedAtOnce = 200;

/** Lists tasks, newest first, out of the index; what it meets there that is gone, it removes. */
export class TaskLister {
  private readonly params: ListerParams;

  constructor(params: ListerParams) {
    this.params = params;
  }

  /** @throws MillraceError INVALID_REQUEST (cursor, type), REDIS_UNAVAILABLE. */
  async list(filter: ListFilter, { limit, cursor }: ListBounds): Promise<ListPage> {
    const among = filter.type === undefined ? families : [familyOf(filter.type)];
    let position = cursor === undefined ? undefined : parseCursor(cursor);
    if (position === undefined) await withRedis(() => Promise.all(among.map((family) => this.params.complete(family))));
    const tasks: TaskView[] = [];
    for (let examined = 0; examined < mostExamined; ) {
      const isPicky = filter.state !== undefined || filter.type !== undefined;
      const count = isPicky ? examinedAtOnce : Math.min(examinedAtOnce, limit - tasks.length);
      const entries = await this.behind(among, { tag: filter.tag, position, count });
      const views = await this.look(entries);
      for (const [index, entry] of entries.entries()) {
        const view = views[index];
        if (view !== undefined && fits(view, filter)) tasks.push(view);
        position = entry;
        if (tasks.length === limit) return { tasks, cursor: formatCursor(entry) };
      }
      if (entries.length < count) return { tasks, cursor: null };
      examined += entries.length;
    }
    return { tasks, cursor: position === undefined ? null : formatCursor(position) };
  }

  /** The next entries of the merged lists of some families. */
  private async behind(
    among: readonly Family[],
    { tag, position, count }: { tag: string | undefined; position: ListPosition | undefined; count: number },
  ): Promise<ListPosition[]> {
    const lists = await Promise.all(
      among.map(async (family) => {
        const start = startIn(family, position);
        const entries = await withRedis(() => this.params.index.behind({ family, tag }, start, count));
        return entries.map((entry) => ({ ...entry, family }));
      }),
    );
    return lists.flat().sort(newestFirst).slice(0, count);
  }

  /** The tasks of some entries, in order; undefined for what is gone, which leaves the index. */
  private async look(entries: readonly ListPosition[]): Promise<(TaskView | undefined)[]> {
    const views = new Map<ListPosition, TaskView>();
    for (const family of families) {
      const ofFamily = entries.filter((entry) => entry.family === family);
      const jobIds = ofFamily.map(({ jobId }) => jobId);
      const [records, tags] = await withRedis(() =>
        Promise.all([
          readTaskRecords(this.params, { family, jobIds }, false),
          this.params.index.tagsOf(family, jobIds),
        ]),
      );
      const gone = jobIds.filter((_, index) => records[index] === undefined);
      if (gone.length > 0) await withRedis(() => this.params.index.remove(family, gone));
      ofFamily.forEach((entry, index) => {
        const record = records[index];
        if (record !== undefined) views.set(entry, { ...viewOf(entry, record, undefined), tags: tags[index] ?? [] });
      });
    }
    return entries.map((entry) => views.get(entry));
  }
}

/** Checks what an app asks for. @throws MillraceError INVALID_REQUEST with every problem at once. */
export function checkListing({ state }: ListFilter, { limit }: Pick<ListBounds, 'limit'>): void {
  const problems: Problem[] = [];
  if (!Number.isInteger(limit) || limit < 1 || limit > longestPage) {
    const expected = `a whole number from 1 to ${longestPage}`;
    problems.push({ path: 'query.limit', got: String(limit), expected, remedy: `Change it to ${expected}.` });
  }
  if (state !== undefined && !taskStates.includes(state)) {
    const expected = `one of ${taskStates.join(', ')}`;
    problems.push({ path: 'query.state', got: JSON.stringify(state), expected, remedy: `Change it to ${expected}.` });
  }
  const [first] = problems;
  if (first === undefined) return;
  throw new MillraceError('INVALID_REQUEST', `${first.path}: got ${first.got}, expected ${first.expected}.`, {
    problems,
  });
}

function fits(view: TaskView, { state, type }: ListFilter): boolean {
  return (state === undefined || view.state === state) && (type === undefined || view.type === type);
}

function familyOf(type: string): Family {
  const family = families.find((name) => type.startsWith(`${name}.`));
  if (family !== undefined) return family;
  const expected = `a type that begins with ${families.map((name) => `${name}.`).join(', ')}`;
  throw new MillraceError('INVALID_REQUEST', `There is no family of tasks for the type ${JSON.stringify(type)}.`, {
    problems: [
      { path: 'query.type', got: JSON.stringify(type), expected, remedy: 'GET /v1/task-types lists the types.' },
    ],
  });
}

/** Of tasks of the same ms and id, those of the earlier family come first. */
function newestFirst(a: ListPosition, b: ListPosition): number {
  if (isBehind(b, a)) return -1;
  if (isBehind(a, b)) return 1;
  return families.indexOf(a.family) - families.indexOf(b.family);
}

/** Where a family's list goes on behind a position of the merged one. */
function startIn(family: Family, position: ListPosition | undefined): IndexPosition | undefined {
  if (position === undefined) return undefined;
  const { createdAt, jobId } = position;
  // A twin of the position in a later family has not been listed: nothing sorts between an id and itself with a NUL behind it.
  const isLater = families.indexOf(family) > families.indexOf(position.family);
  return { createdAt, jobId: isLater ? `${jobId}\u0000` : jobId };
}
