import type { TaskRef } from '../tasks/ids.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

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
  readonly priority: number;
  /** The job's data, when it was asked for. */
  readonly data: unknown;
}

const readTask = new Script('read-task');

type Reply = [JobPlace, string, ...(string | null)[]];

/** One look at a job; undefined when there is none. `withData` also reads its data, which may be large. */
export async function readTaskRecord(
  { redis, keys }: { redis: Redis; keys: Keys },
  { family, jobId }: TaskRef,
  withData: boolean,
): Promise<TaskRecord | undefined> {
  const sets = ['completed', 'failed', 'delayed', 'prioritized', 'waiting-children', 'active'];
  const jobKeys = [jobId, ...sets].map((part) => keys.bull(family, part));
  const reply = (await readTask.run(redis, jobKeys, [jobId, withData ? '1' : '0'])) as Reply | null;
  if (reply === null) return undefined;
  const [
    place,
    name,
    opts,
    timestamp,
    processedOn,
    finishedOn,
    made,
    started,
    reason,
    ,
    progress,
    worker,
    priority,
    dueAt,
    data,
  ] = reply;
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
    priority: Number(priority ?? 0),
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
