import { z } from 'zod';
import type { TaskType } from './define-task-type.ts';
import { jsonSchemasOf } from './json-schemas.ts';
import { type Door, limitsOf } from './parse.ts';
import { families } from './task.ts';

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema, draft 2020-12.' });

/** A task type as it is told to producers. */
export const taskTypeViewSchema = z.object({
  type: z.string(),
  family: z.enum(families),
  description: z.string(),
  limits: z.object({
    items: z.int().meta({ description: 'Most items of one task.' }),
    bytes: z.int().meta({ description: 'Most bytes of its input as JSON.' }),
  }),
  example: z.unknown().meta({ description: 'An input that works.' }),
  input: jsonSchema,
  output: jsonSchema,
});
export type TaskTypeView = z.infer<typeof taskTypeViewSchema>;

/** What producers are told of every type that passes a door. */
export function taskTypeViews(door: Door): TaskTypeView[] {
  return [...door.catalog.values()].map((taskType) => viewOf(door, taskType));
}

function viewOf(door: Door, taskType: TaskType): TaskTypeView {
  const { type, family, description, example } = taskType;
  return { type, family, description, limits: limitsOf(door, taskType), example, ...jsonSchemasOf(taskType) };
}
