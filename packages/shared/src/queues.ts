import {
  getNextMillis,
  Job,
  type JobJson,
  type JobsOptions,
  Queue,
  QueueEvents,
  type RepeatOptions,
  SpanKind,
  type Telemetry,
} from 'bullmq';
import type { Logger } from './logger.ts';
import type { Redis } from './redis/connection.ts';
import type { Family, JobData, TaskOptions } from './tasks/task.ts';
import { priorityNumber, taskDefaults } from './tasks/task.ts';

export type TaskQueue = Queue<unknown, unknown, string>;
/** What BullMQ tells of its doings to a tracing system, such as `new BullMQOtel(…)` of bullmq-otel. */
export type QueueTelemetry = Telemetry;

/** Events of a queue that Redis keeps; four a task, so about 12,500 tasks back. */
const eventsKept = 50_000;

interface QueueParams {
  readonly family: Family;
  readonly redis: Redis;
  readonly prefix: string;
  readonly log: Logger;
}

interface OpenQueueParams extends QueueParams {
  readonly telemetry?: QueueTelemetry | undefined;
}

/**
 * BullMQ's queue of a family, on a connection that the caller opened and closes. Works before Redis is up. With `telemetry` what is
 * added carries the trace that it was added in.
 */
export function openQueue({ family, redis, prefix, log, telemetry }: OpenQueueParams): TaskQueue {
  const queue: TaskQueue = new Queue(family, {
    connection: redis,
    prefix,
    // Together: without the first add() hangs while Redis is down, without the second the queue stays broken afterwards.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    streams: { events: { maxLen: eventsKept } },
    ...(telemetry === undefined ? {} : { telemetry: onlyAdding(telemetry) }),
  });
  queue.on('error', (error) => log.debug({ event: 'queue.error', family, error: error.message }, 'BullMQ queue error'));
  return queue;
}

/** What sweepers and closing do to a queue belongs to no task: each would be a trace of its own that says nothing. */
function onlyAdding(telemetry: QueueTelemetry): QueueTelemetry {
  const silent: ReturnType<Telemetry['tracer']['startSpan']> = {
    setSpanOnContext: (context) => context,
    setAttribute: () => {},
    setAttributes: () => {},
    addEvent: () => {},
    recordException: () => {},
    end: () => {},
  };
  return {
    contextManager: telemetry.contextManager,
    tracer: {
      startSpan: (name, options, context) =>
        options?.kind === SpanKind.PRODUCER ? telemetry.tracer.startSpan(name, options, context) : silent,
    },
  };
}

/**
 * BullMQ's events of a family, from `lastEventId` on: with a real id none is missed over a reconnect. Needs a connection of
 * its own, of the role `blocking`. Reads once `run` is called, which rejects at an event that BullMQ cannot parse.
 */
export function openQueueEvents({ family, redis, prefix, log }: QueueParams, lastEventId: string): QueueEvents {
  const events = new QueueEvents(family, {
    connection: redis,
    prefix,
    skipVersionCheck: true,
    skipWaitingForReady: true,
    lastEventId,
    autorun: false,
  });
  events.on('error', (error) =>
    log.debug({ event: 'queue-events.error', family, error: error.message }, 'BullMQ events error'),
  );
  return events;
}

/** When a cron pattern is due next, in ms since 1970; undefined when never. @throws Error when it is no such pattern. */
export function nextCronTime(
  { cron, tz }: { cron: string; tz: string | undefined },
  after: number,
): number | undefined {
  return getNextMillis(after, { pattern: cron, ...(tz === undefined ? {} : { tz }) });
}

/**
 * Arms the run of a schedule that follows a given one. BullMQ does that when a run is picked up, so before a run is ended that
 * never will be. Does nothing for any other job, and for a run that another follows already.
 */
export async function armNextRun(queue: TaskQueue, jobId: string): Promise<void> {
  if (!jobId.startsWith('repeat:')) return;
  const job = await queue.getJob(jobId);
  // Part of the options of such a job, but not of BullMQ's public type of them.
  const { repeat } = (job?.opts ?? {}) as { repeat?: RepeatOptions };
  if (job?.repeatJobKey === undefined || repeat === undefined) return;
  const scheduler = await queue.jobScheduler;
  const follows = { override: false, producerId: jobId };
  await scheduler.upsertJobScheduler(job.repeatJobKey, repeat, job.name, job.data, job.opts, follows);
}

/**
 * BullMQ's options of a task. Nothing is removed when it ends: the sweeper does that, after its result's time. `owed`: the bytes
 * that it was counted with when it was admitted (redis/owed.ts), none for a task that is not.
 */
export function jobOptions(jobId: string, options: TaskOptions, owed = 0): JobsOptions & { owed?: number } {
  const backoff = options.backoff ?? taskDefaults.backoff;
  return {
    jobId,
    priority: priorityNumber(options.priority),
    attempts: options.attempts ?? taskDefaults.attempts,
    backoff: { type: backoff.type, delay: backoff.delayMs, jitter: backoff.jitter ?? taskDefaults.backoff.jitter },
    removeOnComplete: false,
    removeOnFail: false,
    ...(options.delayMs === undefined ? {} : { delay: options.delayMs }),
    ...(owed === 0 ? {} : { owed }),
  };
}

/** The data of a task's job. */
export function jobData(input: unknown, options: TaskOptions, now: number): JobData {
  const { expiresInMs, timeoutMs, resultTtlMs, tags, webhook } = options;
  return {
    v: 1,
    input,
    ...(expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(resultTtlMs === undefined ? {} : { resultTtlMs }),
    ...(tags === undefined ? {} : { tags }),
    ...(webhook === undefined ? {} : { webhook }),
  };
}

/** Moves a waiting job behind those of a priority; one that does not wait gets it for when it does again. */
export async function moveToPriority(queue: TaskQueue, jobId: string, priority: number): Promise<void> {
  // Only its id matters: its data may be large, and is not read.
  await new Job(queue, '', undefined, {}, jobId).changePriority({ priority });
}

/** Moves a waiting job to the front of a priority; one that does not wait stays where it is. */
export async function moveToFront(queue: TaskQueue, jobId: string, priority: number): Promise<void> {
  // Only its id matters: its data may be large, and is not read.
  await new Job(queue, '', undefined, {}, jobId).changePriority({ priority, lifo: true });
}

/** Everything of a job's hash but its data, as BullMQ names it there. */
const outlineFields = [
  'name',
  'opts',
  'progress',
  'delay',
  'priority',
  'timestamp',
  'ats',
  'atm',
  'stc',
  'finishedOn',
  'processedOn',
  'failedReason',
  'stacktrace',
  'returnvalue',
  'parentKey',
  'pb',
] as const;
type Outline = Partial<Record<(typeof outlineFields)[number], string>>;

/**
 * A job for somebody who only looks: data of more than `readBytes` is not read, and a word about its size stands in its place.
 * Undefined when there is no such job.
 */
export async function readJobOutline(
  { queue, redis }: { queue: TaskQueue; redis: Redis },
  jobId: string,
  readBytes: number,
): Promise<Job<unknown, unknown, string> | undefined> {
  const key = queue.toKey(jobId);
  const bytes = await redis.hstrlen(key, 'data');
  if (bytes <= readBytes) return await queue.getJob(jobId);
  const values = await redis.hmget(key, ...outlineFields);
  const outline: Outline = Object.fromEntries(
    outlineFields.flatMap((field, index) => (values[index] ? [[field, values[index]]] : [])),
  );
  if (outline.name === undefined) return undefined;
  return Job.fromJSON(queue, outlineJson(jobId, outline, `… (${bytes} bytes)`), jobId);
}

function outlineJson(jobId: string, outline: Outline, word: string): JobJson {
  const { finishedOn, processedOn, stacktrace, parentKey, pb } = outline;
  return {
    id: jobId,
    name: outline.name ?? '',
    data: JSON.stringify(word),
    opts: Job.optsFromJSON(outline.opts),
    progress: JSON.parse(outline.progress ?? '0'),
    delay: Number(outline.delay ?? 0),
    priority: Number(outline.priority ?? 0),
    timestamp: Number(outline.timestamp ?? 0),
    attemptsStarted: Number(outline.ats ?? 0),
    attemptsMade: Number(outline.atm ?? 0),
    stalledCounter: Number(outline.stc ?? 0),
    failedReason: outline.failedReason ?? '',
    // BullMQ's type wants a text where its reader takes none, too.
    returnvalue: outline.returnvalue ?? 'null',
    ...(finishedOn === undefined ? {} : { finishedOn: Number(finishedOn) }),
    ...(processedOn === undefined ? {} : { processedOn: Number(processedOn) }),
    ...(stacktrace === undefined ? {} : { stacktrace }),
    ...(parentKey === undefined ? {} : { parentKey }),
    ...(pb === undefined ? {} : { processedBy: pb }),
  };
}
