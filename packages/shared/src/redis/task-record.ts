import type { TaskRef } from '../tasks/ids.ts';
import type { Family } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';
import { beatEveryMs } from './workers.ts';

/** Where BullMQ keeps a job. */
export type JobPlace = 'completed' | 'failed' | 'delayed' | 'waiting' | 'waiting-children' | 'active';

/** A BullMQ job as a reader of a task needs it; times in ms since 1970. */
export interface TaskRecord {
  readonly place: JobPlace;
  readonly name: string;
  readonly opts: Record<string, unknown>;
  readonly createdAt: number;
  /** When a delayed job is due: its own delay, or a backoff. */
  readonly dueAt: number | undefined;
  readonly processedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly attemptsMade: number;
  readonly attemptsStarted: number;
  readonly failedReason: string | undefined;
  readonly progress: unknown;
  readonly worker: string | undefined;
  /** It is active, but the worker that held it is dead: the others take it back by themselves. */
  readonly orphaned: boolean;
  readonly priority: number;
  /** How often it came back from a worker that died. */
  readonly stalls: number;
  /** BullMQ's key of the job that it is a part of. */
  readonly parentKey: string | undefined;
  /** The schedule that made it. */
  readonly schedule: string | undefined;
  /** The job's data, when it was asked for. */
  readonly data: unknown;
}

const readTasks = new Script('read-tasks');
const endedAmong = new Script('ended-among');

type Reply = [JobPlace, string, ...(string | null)[]];

interface RedisSide {
  readonly redis: Redis;
  readonly keys: Keys;
}

/** A worker that has only just started may pull before its first beat; ms. */
const unheardMs = 2 * beatEveryMs;

/** One look at a job; undefined when there is none. `withData` also reads its data, which may be large. */
export async function readTaskRecord(
  side: RedisSide,
  { family, jobId }: TaskRef,
  withData: boolean,
): Promise<TaskRecord | undefined> {
  const [record] = await readTaskRecords(side, { family, jobIds: [jobId] }, withData);
  return record;
}

/** One look at some jobs of a family, in order; undefined for those that are not there. */
export async function readTaskRecords(
  { redis, keys }: RedisSide,
  { family, jobIds }: { family: Family; jobIds: readonly string[] },
  withData: boolean,
): Promise<(TaskRecord | undefined)[]> {
  if (jobIds.length === 0) return [];
  const sets = ['completed', 'failed', 'delayed', 'prioritized', 'waiting-children', 'active'];
  const jobKeys = [...sets, ...jobIds].map((part) => keys.bull(family, part));
  const replies = (await readTasks.run(redis, jobKeys, [withData ? '1' : '0', ...jobIds])) as (Reply | null)[];
  const records = replies.map((reply) => (reply === null ? undefined : recordOf(reply)));
  return await withoutGhosts({ redis, keys }, records);
}

/** Whether a task has ended: `gone` when there is no such job. */
export type TaskEnding = 'open' | 'ended' | 'gone';
const endings: readonly TaskEnding[] = ['open', 'ended', 'gone'];

/** Which of some jobs of a family have ended or are gone, in order. */
export async function readEndings(
  { redis, keys }: RedisSide,
  family: Family,
  jobIds: readonly string[],
): Promise<TaskEnding[]> {
  if (jobIds.length === 0) return [];
  const jobKeys = ['completed', 'failed', ...jobIds].map((part) => keys.bull(family, part));
  const replies = (await endedAmong.run(redis, jobKeys, jobIds)) as number[];
  return replies.map((reply) => endings[reply] ?? 'open');
}

/** BullMQ finds out that a worker died when a lock lapses; its heartbeat is missed earlier. */
async function withoutGhosts(
  { redis, keys }: RedisSide,
  records: readonly (TaskRecord | undefined)[],
): Promise<(TaskRecord | undefined)[]> {
  const holders = [...new Set(records.flatMap((record) => (record === undefined ? [] : holderOf(record))))];
  if (holders.length === 0) return [...records];
  const living = await Promise.all(holders.map((worker) => redis.exists(keys.worker(worker))));
  const dead = new Set(holders.filter((_, index) => living[index] === 0));
  return records.map((record) =>
    record !== undefined && holderOf(record).some((worker) => dead.has(worker))
      ? { ...record, orphaned: true }
      : record,
  );
}

/** The worker whose heartbeat says whether the job is really running; none for a worker of another make. */
function holderOf({ place, worker, processedAt }: TaskRecord): string[] {
  const isSettled = processedAt !== undefined && Date.now() - processedAt >= unheardMs;
  return place === 'active' && worker !== undefined && isSettled ? [worker] : [];
}

function recordOf([place, name, ...rest]: Reply): TaskRecord {
  const [
    opts,
    timestamp,
    processedOn,
    finishedOn,
    made,
    started,
    reason,
    progress,
    worker,
    priority,
    stalls,
    ...links
  ] = rest;
  const [parentKey, schedule, dueAt, data] = links;
  return {
    place,
    name,
    opts: parseRecord(opts),
    createdAt: Number(timestamp),
    dueAt: optionalNumber(dueAt),
    processedAt: optionalNumber(processedOn),
    finishedAt: optionalNumber(finishedOn),
    attemptsMade: Number(made ?? 0),
    attemptsStarted: Number(started ?? 0),
    failedReason: reason ?? undefined,
    progress: parseJson(progress),
    worker: worker ?? undefined,
    orphaned: false,
    priority: Number(priority ?? 0),
    stalls: Number(stalls ?? 0),
    parentKey: parentKey ?? undefined,
    schedule: schedule ?? undefined,
    data: parseJson(data),
  };
}

function optionalNumber(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text);
}

function parseRecord(text: string | null | undefined): Record<string, unknown> {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Other programs write jobs too: what is not JSON reads as nothing. */
function parseJson(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
