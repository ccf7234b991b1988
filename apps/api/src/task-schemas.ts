import type { Catalog } from '@millrace/shared/tasks/catalog';
import { submittedTaskSchema, taskStates, taskViewSchema } from '@millrace/shared/tasks/task';
import { z } from 'zod';

/** A task as read, under its name in the OpenAPI document. */
export const taskSchema = taskViewSchema.meta({
  id: 'Task',
  description: 'A task as read. Times ISO 8601 UTC, durations ms.',
});

/** What is known of a task when it has just been enqueued. */
export const acceptedSchema = z
  .object({ id: z.string(), type: z.string(), state: z.enum(taskStates) })
  .loose()
  .meta({ id: 'AcceptedTask', description: 'Redis has the task. After a wait that was too short, all of the task.' });

/** A submitted task, for the documentation: each type with the schema of its own input. */
export function submissionSchema(catalog: Catalog): z.ZodType {
  const shapes = [...catalog.values()].map(({ type, input, description, example }) =>
    submittedTaskSchema
      .extend({ type: z.literal(type), input })
      .meta({ title: type, description, examples: [{ type, input: example }] }),
  );
  return z.union(shapes);
}
