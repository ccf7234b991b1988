import { z } from 'zod';
import { families, submittedTaskSchema, taskOptionsSchema } from './task.ts';

const day = 24 * 3600_000;

/** A name that is part of job ids and addresses. */
export const scheduleName = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, {
  error: 'a name of at most 64 letters, digits, _ . - that begins with a letter or digit',
});

const timeZone = z.string().refine(isTimeZone, { error: 'an IANA time zone such as Europe/Berlin' });

/** When a schedule runs, and what; `task` is checked by the producer's door. */
export const submittedScheduleSchema = z.strictObject({
  cron: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'A cron pattern of five fields, or of six with seconds first; this or everyMs.' }),
  everyMs: z
    .int()
    .min(1000)
    .max(365 * day)
    .optional()
    .meta({ description: 'From one run to the next, the first at once; ms.' }),
  tz: timeZone.optional().meta({ description: "The time zone that cron means; default the API's own." }),
  task: z.unknown().meta({
    description: 'As in POST /v1/tasks, without delayMs and expiresInMs. A run waits for the one before to begin.',
  }),
});

/** What a schedule can say of its tasks: their time is the schedule's. */
export const scheduledTaskSchema = submittedTaskSchema.omit({ delayMs: true, expiresInMs: true });

/** A schedule as read. */
export const scheduleViewSchema = z.object({
  name: z.string(),
  family: z.enum(families),
  cron: z.string().nullable(),
  everyMs: z.int().nullable(),
  tz: z.string().nullable(),
  nextRunAt: z.string().nullable(),
  nextTaskId: z
    .string()
    .nullable()
    .meta({ description: 'The task of the next run, which can be cancelled by itself.' }),
  task: z.object({
    type: z.string(),
    input: z.unknown().optional().meta({ description: 'Left out in lists.' }),
    ...taskOptionsSchema.pick({ priority: true, attempts: true, timeoutMs: true, resultTtlMs: true, tags: true }).shape,
  }),
});
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
