import { z } from 'zod';
import type { TaskType } from './define-task-type.ts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

/** What a type takes and gives, as others read it: input before, output after its transformations. */
export function jsonSchemasOf({ input, output }: TaskType): {
  readonly input: JsonSchema;
  readonly output: JsonSchema;
} {
  // What has no JSON Schema of its own, such as rows of float32, describes itself by its metadata.
  const options = { target: 'draft-2020-12', unrepresentable: 'any' } as const;
  return {
    input: z.toJSONSchema(input, { ...options, io: 'input' }),
    output: z.toJSONSchema(output, { ...options, io: 'output' }),
  };
}
