import { type Run, runEndpoints, runErrorSchema, runStatuses } from '@millrace/shared/redis/run-record';
import { z } from 'zod';

const time = z.int().nullable();

/** A run in OpenAI's shape; times in seconds since 1970. */
export const batchSchema = z
  .object({
    id: z.string(),
    object: z.literal('batch'),
    endpoint: z.enum(runEndpoints),
    errors: z
      .object({ object: z.literal('list'), data: z.array(runErrorSchema) })
      .nullable()
      .meta({ description: 'Why it failed, with the lines of the input.' }),
    input_file_id: z.string(),
    completion_window: z.string(),
    status: z.enum(runStatuses),
    output_file_id: z.string().nullable(),
    error_file_id: z.string().nullable().meta({ description: 'The requests that failed, or whose turn never came.' }),
    created_at: z.int(),
    in_progress_at: time,
    expires_at: time,
    finalizing_at: time,
    completed_at: time,
    failed_at: time,
    expired_at: time,
    cancelling_at: time,
    cancelled_at: time,
    request_counts: z
      .object({ total: z.int(), completed: z.int(), failed: z.int() })
      .meta({ description: 'Only requests whose answer is safely stored count as completed or failed.' }),
    usage: z.object({
      input_tokens: z.int(),
      input_tokens_details: z.object({ cached_tokens: z.int() }),
      output_tokens: z.int(),
      output_tokens_details: z.object({ reasoning_tokens: z.int() }),
      total_tokens: z.int(),
    }),
    metadata: z.record(z.string(), z.string()).nullable(),
    progress: z
      .object({
        done: z.int(),
        total: z.int(),
        lines_per_second: z.number().nullable(),
        eta_seconds: z.int().nullable(),
        blocked: z.object({ code: z.string(), message: z.string() }).nullable(),
      })
      .meta({ description: "Not OpenAI's: how fast it goes, and why it does not when it does not." }),
  })
  .meta({ id: 'Batch', description: "A run, in the shape of OpenAI's batches." });
export type Batch = z.infer<typeof batchSchema>;

/** A run as it is answered. */
export function batchOf(run: Run): Batch {
  const { errors = [], inputTokens: tokens, total, completed, failed } = run;
  return {
    id: run.id,
    object: 'batch',
    endpoint: run.endpoint,
    errors: errors.length === 0 ? null : { object: 'list', data: errors },
    input_file_id: run.inputFileId,
    completion_window: run.completionWindow,
    status: run.status,
    output_file_id: run.outputFileId ?? null,
    error_file_id: run.errorFileId ?? null,
    ...timesOf(run),
    request_counts: { total, completed, failed },
    usage: {
      input_tokens: tokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: tokens,
    },
    metadata: run.metadata,
    progress: progressOf(run),
  };
}

function timesOf(run: Run) {
  return {
    created_at: Math.floor(run.createdAt / 1000),
    in_progress_at: seconds(run.inProgressAt),
    expires_at: seconds(run.expiresAt),
    finalizing_at: seconds(run.finalizingAt),
    completed_at: seconds(run.completedAt),
    failed_at: seconds(run.failedAt),
    expired_at: seconds(run.expiredAt),
    cancelling_at: seconds(run.cancellingAt),
    cancelled_at: seconds(run.cancelledAt),
  };
}

function progressOf({ status, total, completed, failed, linesPerSecond, blocked = null }: Run): Batch['progress'] {
  const done = completed + failed;
  const speed = linesPerSecond ?? 0;
  const runs = status === 'in_progress' && speed > 0;
  return {
    done,
    total,
    lines_per_second: linesPerSecond ?? null,
    eta_seconds: runs ? Math.ceil((total - done) / speed) : null,
    blocked,
  };
}

function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.floor(ms / 1000);
}
