import { z } from 'zod';
import type { Problem } from '../errors.ts';
import { webhookSchema } from './webhook.ts';

/** A family is one BullMQ queue and one kind of compute process. */
export const families = ['text', 'inference', 'vector'] as const;
export type Family = (typeof families)[number];

/** BullMQ's numbers (lower runs first) behind the names that a producer may use. */
export const priorities = { critical: 1, high: 10, normal: 100, low: 1000 } as const;
type PriorityName = keyof typeof priorities;
/** BullMQ keeps a priority in 21 bits; 0 would mean the `wait` list, which Millrace does not use. */
const maxPriority = 2 ** 21 - 1;

export const taskStates = ['scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'] as const;
export type TaskState = (typeof taskStates)[number];
export const endedStates: readonly TaskState[] = ['succeeded', 'failed', 'cancelled', 'expired'];

const day = 24 * 3600_000;

/** Defaults of a task; a producer's own options win. */
export const taskDefaults = {
  priority: priorities.normal,
  attempts: 3,
  backoff: { type: 'exponential', delayMs: 1000, jitter: 0.5 },
  timeoutMs: 60_000,
  resultTtlMs: day,
  /** How long the reason of a failed task is kept, in ms. */
  failedTtlMs: 7 * day,
} as const;

const prioritySchema = z
  .union([z.enum(Object.keys(priorities) as [PriorityName, ...PriorityName[]]), z.int().min(1).max(maxPriority)])
  .meta({
    description: `critical (1), high (10), normal (100), low (1000), or a whole number from 1 to ${maxPriority}; lower runs first.`,
  });

const backoffSchema = z.strictObject({
  type: z.enum(['fixed', 'exponential']),
  delayMs: z.int().min(0).max(day).meta({ description: 'The delay before the second attempt, in ms.' }),
  jitter: z.number().min(0).max(1).optional().meta({ description: 'Share of the delay that is random; default 0.5.' }),
});

const tagSchema = z
  .string()
  .min(1)
  .refine((tag) => Buffer.byteLength(tag) <= 64, { error: 'at most 64 bytes of UTF-8' });

/** What a producer may say about how a task runs; times in ms. */
export const taskOptionsSchema = z.strictObject({
  priority: prioritySchema.optional(),
  delayMs: z
    .int()
    .min(0)
    .max(365 * day)
    .optional()
    .meta({ description: 'Not before this many ms from now.' }),
  expiresInMs: z
    .int()
    .min(1)
    .max(365 * day)
    .optional()
    .meta({ description: 'Not started within this many ms: the task ends as `expired`.' }),
  timeoutMs: z
    .int()
    .min(1)
    .max(day)
    .optional()
    .meta({ description: 'Bound of each computation that carries items of the task, in ms; default 60,000.' }),
  attempts: z.int().min(1).max(100).optional().meta({ description: 'How often it is tried; default 3.' }),
  backoff: backoffSchema.optional(),
  tags: z.array(tagSchema).max(8).optional().meta({ description: 'At most 8, of 64 bytes each.' }),
  resultTtlMs: z
    .int()
    .min(1000)
    .max(30 * day)
    .optional()
    .meta({ description: 'How long the result is kept after the end, in ms; default 24 h.' }),
  webhook: webhookSchema.optional().meta({ description: 'Who is told when the task has ended.' }),
});
export type TaskOptions = z.input<typeof taskOptionsSchema>;

/** A task as a producer submits it; `input` is checked against its type afterwards. */
export const submittedTaskSchema = z.strictObject({
  type: z.string().meta({ description: 'The exact kind, e.g. inference.embed; GET /v1/task-types lists them.' }),
  input: z.unknown().meta({ description: 'As the schema of the type says.' }),
  ...taskOptionsSchema.shape,
});

/** The data of a BullMQ job: the whole contract with producers in other languages. `v` counts breaking changes. */
export const jobDataSchema = z.strictObject({
  v: z.literal(1),
  input: z.unknown(),
  /** ms since 1970; not started by then, the task expires. */
  expiresAt: z.int().min(0).optional(),
  timeoutMs: taskOptionsSchema.shape.timeoutMs,
  resultTtlMs: taskOptionsSchema.shape.resultTtlMs,
  tags: taskOptionsSchema.shape.tags,
  webhook: taskOptionsSchema.shape.webhook,
});
export type JobData = z.input<typeof jobDataSchema>;

/** The priority number behind a name or number. */
export function priorityNumber(priority: TaskOptions['priority']): number {
  if (priority === undefined) return taskDefaults.priority;
  return typeof priority === 'number' ? priority : priorities[priority];
}

/** Where the time of a task went, in ms; a stage that has not ended is null. */
const timingsSchema = z.object({
  queuedMs: z.number().nullable().meta({ description: 'Enqueued (or due) until a worker pulled it.' }),
  batchedMs: z.number().nullable().meta({ description: 'Pulled until its first call began.' }),
  computeMs: z.number().nullable().meta({ description: 'First call begun until its last call ended.' }),
  settledMs: z.number().nullable().meta({ description: 'Last call ended until the outcome was stored.' }),
});

const problemSchema = z.object({
  path: z.string(),
  got: z.string(),
  expected: z.string(),
  remedy: z.string(),
}) satisfies z.ZodType<Problem>;

const taskErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  problems: z.array(problemSchema).optional(),
  items: z.array(z.object({ index: z.int(), code: z.string() })).optional(),
});

/** A task as read. Times are ISO 8601 UTC, durations ms. */
export const taskViewSchema = z.object({
  id: z.string(),
  type: z.string(),
  state: z.enum(taskStates),
  priority: z.int(),
  tags: z.array(z.string()),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  retryAt: z.string().nullable().meta({ description: 'When a failed attempt is tried again.' }),
  attempt: z.int().meta({ description: 'Which attempt this is or was; 0 before the first.' }),
  attempts: z.int(),
  worker: z.string().nullable(),
  batch: z
    .object({ id: z.string(), size: z.int().meta({ description: 'Items of all tasks in that call.' }) })
    .nullable()
    .meta({ description: 'The last call that computed items of this task.' }),
  calls: z.int().meta({ description: 'How many calls computed items of this task.' }),
  timings: timingsSchema,
  progress: z.object({ done: z.int(), total: z.int() }).nullable().meta({ description: 'Items done.' }),
  error: taskErrorSchema.optional(),
  result: z.unknown().optional(),
});
export type TaskView = z.infer<typeof taskViewSchema>;
export type Timings = z.infer<typeof timingsSchema>;
