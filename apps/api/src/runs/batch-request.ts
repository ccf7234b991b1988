import { MillraceError } from '@millrace/shared/errors';
import { runEndpoints } from '@millrace/shared/redis/run-record';
import { priorities, priorityNumber, taskOptionsSchema } from '@millrace/shared/tasks/task';
import { webhookSchema } from '@millrace/shared/tasks/webhook';
import { z } from 'zod';
import { lifetimeSchema } from '../openai/lifetime.ts';

const mostKeys = 16;

/** The body of POST /v1/batches. */
export const batchRequestSchema = z
  .strictObject({
    input_file_id: z.string().meta({ description: 'A file that was uploaded with the purpose batch.' }),
    endpoint: z.enum(runEndpoints).meta({ description: 'Where every line goes; /v1/tasks is not OpenAI’s.' }),
    completion_window: z.string().min(1).max(64).meta({
      description: 'How long it may take: 24h, or any other such as 90m or 7d. What has not run by then expires.',
    }),
    metadata: z
      .record(z.string().min(1).max(64), z.string().max(512))
      .refine((metadata) => Object.keys(metadata).length <= mostKeys, { error: `at most ${mostKeys} keys` })
      .nullish()
      .meta({ description: 'Kept with the run. `priority` in it is that of its tasks; low when it is not there.' }),
    webhook: webhookSchema.nullish().meta({ description: "Not OpenAI's: who is told when the run has ended." }),
    output_expires_after: lifetimeSchema.nullish().meta({ description: 'How long the outputs are kept.' }),
  })
  .meta({ id: 'BatchRequest' });
export type BatchRequest = z.infer<typeof batchRequestSchema>;

/** The priority of a run's tasks. @throws MillraceError INVALID_REQUEST. */
export function priorityOf({ metadata }: BatchRequest): number {
  const text = metadata?.['priority'];
  if (text === undefined) return priorities.low;
  const value = /^\d+$/.test(text) ? Number(text) : text;
  const parsed = taskOptionsSchema.shape.priority.safeParse(value);
  if (parsed.success) return priorityNumber(parsed.data);
  const problem = {
    path: 'metadata.priority',
    got: JSON.stringify(text),
    expected: 'critical, high, normal, low, or a whole number from 1',
    remedy: 'Change it, or leave it out for low.',
  };
  const detail = `${problem.path}: got ${problem.got}, expected ${problem.expected}.`;
  throw new MillraceError('INVALID_REQUEST', detail, { problems: [problem] });
}
