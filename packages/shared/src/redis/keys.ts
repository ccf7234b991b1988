import type { Family } from '../tasks/task.ts';

/** A task in Redis: its family's queue and the id of its job there. */
interface JobRef {
  readonly family: Family;
  readonly jobId: string;
}

/** What a collection has in Redis. */
export const collectionParts = ['meta', 'points', 'log', 'documents', 'tickets'] as const;
type CollectionPart = (typeof collectionParts)[number];

/** Every key of Redis that Millrace names. One hash tag (the prefix has it) keeps them on one node of a cluster. */
export interface Keys {
  readonly prefix: string;
  /** A key of BullMQ's own, e.g. `{millrace}:inference:active`. */
  bull(family: Family, part: string): string;
  /** BullMQ's lock of a job. */
  lock(ref: JobRef): string;
  /** The outcome of one attempt of a task. */
  result(ref: JobRef, attempt: number): string;
  /** Bytes that accepted tasks will still write: family -> bytes. */
  readonly owed: string;
  /** The values of the result cache, scored by the ms when their time is over; each one's own key begins with this one. */
  readonly cache: string;
  /** Bytes that the result cache takes, by estimate. */
  readonly cacheBytes: string;
  /** Ended tasks of a family (job id), scored by the ms when their result's time is over. */
  ended(family: Family): string;
  /** Running tasks that are to be cancelled (job id), scored by the ms when the wish lapses. */
  cancellations(family: Family): string;
  /** Where a cancellation is told to the workers. */
  readonly cancelChannel: string;
  /** Waiting tasks that expire (job id), scored by the ms when they do. */
  expiring(family: Family): string;
  /** All tasks of a family (job id), scored by the ms when they were created. */
  tasks(family: Family): string;
  /** The same of the tasks with a tag. */
  tagged(family: Family, tag: string): string;
  /** The tags of the tasks that have some: job id -> JSON. */
  tagsOf(family: Family): string;
  /** The task that a caller's Idempotency-Key stands for. */
  idempotency(caller: string, key: string): string;
  /** The key above that stands for a task, to be removed with it: job id -> key. */
  idempotencyOf(family: Family): string;
  /** The last calls of a worker, by place. */
  calls(workerId: string): string;
  /** The set of the ids of workers that have such records. */
  readonly callers: string;
  /** Crashes in which a task was alone in the call: call id -> item. */
  crashes(family: Family, jobId: string): string;
  /** The set of the ids of workers that have beaten lately. */
  readonly workers: string;
  worker(id: string): string;
  workerMetrics(id: string): string;
  /** Held by the one process that does a periodic duty. */
  lease(duty: string): string;
  /** The set of the names of collections. */
  readonly collections: string;
  /** A collection's `meta`, `points`, `documents`, `tickets` (hashes) or `log` (stream). */
  collection(name: string, part: CollectionPart): string;
  /** The facts of a file. */
  file(id: string): string;
  /** All files (id), scored by the ms when they were created. */
  readonly files: string;
  /** The same, scored by the ms when their time is over. */
  readonly expiringFiles: string;
  /** The set of the ids of open runs that need a file. */
  fileUsers(id: string): string;
  /** The record of a run. */
  run(id: string): string;
  /** The parts of its output that are safely stored, in order. */
  runParts(id: string): string;
  /** All runs (id), scored by the ms when they were created. */
  readonly runs: string;
  /** Those that have not ended, scored likewise. */
  readonly openRuns: string;
  /** Those that have, scored by the ms when they are to be forgotten. */
  readonly endedRuns: string;
  /** How many requests a caller, by key or by address, has sent in the present minute. */
  requestCount(by: 'key' | 'address', caller: string): string;
  /** Tasks of a family whose end somebody is told of: job id -> when it was noted, in ms since 1970, and the URL. */
  webhookPending(family: Family): string;
  /** Ends that somebody is to be told of and whose tasks or runs may be gone: the webhook's id -> webhook, JSON. */
  readonly webhookEnds: string;
  /** Up to which event of its queue each family was looked at for webhooks. */
  readonly webhookPlaces: string;
  /** Where webhooks may go, JSON; not there while they are off. */
  readonly webhookPolicy: string;
  /** The hash of the admin key that the API made for itself. */
  readonly adminKey: string;
}

/** All keys below one prefix, such as `{millrace}`. */
export function createKeys(prefix: string): Keys {
  return {
    prefix,
    bull: (family, part) => `${prefix}:${family}:${part}`,
    lock: ({ family, jobId }) => `${prefix}:${family}:${jobId}:lock`,
    result: ({ family, jobId }, attempt) => `${prefix}:result:${family}:${jobId}:${attempt}`,
    owed: `${prefix}:owed`,
    cache: `${prefix}:cache`,
    cacheBytes: `${prefix}:cache-bytes`,
    ended: (family) => `${prefix}:ended:${family}`,
    cancellations: (family) => `${prefix}:cancellations:${family}`,
    cancelChannel: `${prefix}:cancel`,
    expiring: (family) => `${prefix}:expiring:${family}`,
    tasks: (family) => `${prefix}:tasks:${family}`,
    tagged: (family, tag) => `${prefix}:tagged:${family}:${tag}`,
    tagsOf: (family) => `${prefix}:tags:${family}`,
    idempotency: (caller, key) => `${prefix}:idempotency:${caller}:${key}`,
    idempotencyOf: (family) => `${prefix}:idempotency-of:${family}`,
    calls: (workerId) => `${prefix}:calls:${workerId}`,
    callers: `${prefix}:callers`,
    crashes: (family, jobId) => `${prefix}:crashes:${family}:${jobId}`,
    workers: `${prefix}:workers`,
    worker: (id) => `${prefix}:worker:${id}`,
    workerMetrics: (id) => `${prefix}:worker-metrics:${id}`,
    lease: (duty) => `${prefix}:lease:${duty}`,
    collections: `${prefix}:collections`,
    collection: (name, part) => `${prefix}:collection:${name}:${part}`,
    ...fileAndRunKeys(prefix),
    requestCount: (by, caller) => `${prefix}:requests:${by}:${caller}`,
    webhookPending: (family) => `${prefix}:webhook-pending:${family}`,
    webhookEnds: `${prefix}:webhook-ends`,
    webhookPlaces: `${prefix}:webhook-places`,
    webhookPolicy: `${prefix}:webhook-policy`,
    adminKey: `${prefix}:admin-key`,
  };
}

type FileAndRunKeys = Pick<
  Keys,
  'file' | 'files' | 'expiringFiles' | 'fileUsers' | 'run' | 'runParts' | 'runs' | 'openRuns' | 'endedRuns'
>;

function fileAndRunKeys(prefix: string): FileAndRunKeys {
  return {
    file: (id) => `${prefix}:file:${id}`,
    files: `${prefix}:files`,
    expiringFiles: `${prefix}:expiring-files`,
    fileUsers: (id) => `${prefix}:file-users:${id}`,
    run: (id) => `${prefix}:run:${id}`,
    runParts: (id) => `${prefix}:run-parts:${id}`,
    runs: `${prefix}:runs`,
    openRuns: `${prefix}:open-runs`,
    endedRuns: `${prefix}:ended-runs`,
  };
}
