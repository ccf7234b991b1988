import type { Family } from '../tasks/task.ts';

/** A task in Redis: its family's queue and the id of its job there. */
interface JobRef {
  readonly family: Family;
  readonly jobId: string;
}

/** Every key of Redis that Millrace names. One hash tag (the prefix has it) keeps them on one node of a cluster. */
export interface Keys {
  readonly prefix: string;
  /** A key of BullMQ's own, e.g. `{millrace}:inference:active`. */
  bull(family: Family, part: string): string;
  /** The outcome of one attempt of a task. */
  result(ref: JobRef, attempt: number): string;
  /** Ended tasks of a family (job id), scored by the ms when their result's time is over. */
  ended(family: Family): string;
  /** The set of the ids of workers that have beaten lately. */
  readonly workers: string;
  worker(id: string): string;
  workerMetrics(id: string): string;
  /** Held by the one process that does a periodic duty. */
  lease(duty: string): string;
  /** The hash of the admin key that the API made for itself. */
  readonly adminKey: string;
}

/** All keys below one prefix, such as `{millrace}`. */
export function createKeys(prefix: string): Keys {
  return {
    prefix,
    bull: (family, part) => `${prefix}:${family}:${part}`,
    result: ({ family, jobId }, attempt) => `${prefix}:result:${family}:${jobId}:${attempt}`,
    ended: (family) => `${prefix}:ended:${family}`,
    workers: `${prefix}:workers`,
    worker: (id) => `${prefix}:worker:${id}`,
    workerMetrics: (id) => `${prefix}:worker-metrics:${id}`,
    lease: (duty) => `${prefix}:lease:${duty}`,
    adminKey: `${prefix}:admin-key`,
  };
}
