import { z } from 'zod';
import { taskStates, taskViewSchema } from './task.ts';

const count = z.int().min(0);

/** Why a task is where it is: in words, and the facts behind them. */
export const explanationSchema = z.object({
  id: z.string(),
  type: z.string(),
  state: z.enum(taskStates),
  summary: z.string().meta({ description: 'In plain words.' }),
  ahead: z
    .object({ moreUrgent: count, samePriority: count })
    .nullable()
    .meta({ description: 'Waiting tasks whose turn is before; null when it does not wait in the queue.' }),
  paused: z.boolean().meta({ description: 'Whether its family is paused.' }),
  workers: z.object({
    family: count.meta({ description: 'Living workers of its family.' }),
    ofType: count.meta({ description: 'Those of them that know its type.' }),
    withModel: count.nullable().meta({ description: 'Those of them that have its model; null when it needs none.' }),
  }),
  model: z.string().nullable(),
  holder: z
    .object({
      worker: z.string(),
      host: z.string().nullable(),
      since: z.string().nullable(),
      batch: z.string().nullable().meta({
        description: 'The call that computes it; null while it waits for one, or when its worker has not said.',
      }),
    })
    .nullable()
    .meta({ description: 'Who has it now.' }),
  dueAt: z.string().nullable().meta({ description: 'Until when it is delayed or backs off.' }),
  waitsFor: z
    .array(z.object({ id: z.string(), state: z.enum(taskStates).nullable() }))
    .meta({ description: 'The tasks that it is made of and that have not ended, at most 20.' }),
  attempt: count,
  attempts: count,
  started: count.meta({ description: 'How often a worker took it, also for nothing.' }),
  stalls: count.meta({ description: 'How often it came back from a worker that died.' }),
  ...taskViewSchema.pick({ timings: true, error: true }).shape,
});
export type Explanation = z.infer<typeof explanationSchema>;
