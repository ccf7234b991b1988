import { createHash } from 'node:crypto';
import { parseFailedReason } from './errors.ts';
import type { Run, RunStatus } from './redis/run-record.ts';
import { type EndedState, endedStateOf } from './redis/task-end.ts';
import type { TaskRecord } from './redis/task-record.ts';
import { type TaskRef, taskIdOf } from './tasks/ids.ts';

/** A webhook that is to be sent: an end that is known, and who is told of it. */
export interface Delivery {
  /** The header webhook-id, always the same for the same end. */
  readonly id: string;
  /** E.g. `task.succeeded`. */
  readonly type: string;
  readonly url: string;
  /** The document as it is sent: JSON, the same bytes with every try. */
  readonly body: string;
}

/** What a receiver is sent. */
interface WebhookEvent {
  readonly type: `task.${EndedState}` | `batch.${RunStatus}`;
  /** When it happened, ISO 8601 UTC. */
  readonly timestamp: string;
  readonly data: { readonly id: string } & Record<string, unknown>;
}

interface TaskFacts {
  readonly ref: TaskRef;
  readonly record: TaskRecord;
  readonly tags: readonly string[];
}

/** What is sent of a task: nothing of its input and result. Undefined when it has not ended. */
export function taskDelivery({ ref, record, tags }: TaskFacts, url: string): Delivery | undefined {
  const state = endedStateOf(record);
  if (state === undefined) return undefined;
  const { attemptsStarted, createdAt, finishedAt = createdAt } = record;
  const error = state === 'failed' ? { code: parseFailedReason(record.failedReason ?? '').code } : undefined;
  const event: WebhookEvent = {
    type: `task.${state}`,
    timestamp: iso(finishedAt),
    data: {
      id: taskIdOf(ref),
      type: record.name,
      state,
      tags,
      attempt: record.attemptsMade,
      createdAt: iso(createdAt),
      finishedAt: iso(finishedAt),
      ...(error === undefined ? {} : { error }),
    },
  };
  // A task may be tried again and end again: the attempt and the time tell its ends apart.
  return deliveryOf(event, url, [ref.family, ref.jobId, attemptsStarted, finishedAt]);
}

/** What is sent of a run that has ended so; undefined when nobody wants to hear of it. */
export function runDelivery(run: Run, endedAt: number): Delivery | undefined {
  if (run.webhook === undefined) return undefined;
  const { total, completed, failed } = run;
  const event: WebhookEvent = {
    type: `batch.${run.status}`,
    timestamp: iso(endedAt),
    data: {
      id: run.id,
      status: run.status,
      endpoint: run.endpoint,
      request_counts: { total, completed, failed },
      output_file_id: run.outputFileId ?? null,
      error_file_id: run.errorFileId ?? null,
      metadata: run.metadata,
    },
  };
  return deliveryOf(event, run.webhook, ['run', run.id]);
}

function deliveryOf(event: WebhookEvent, url: string, names: readonly (string | number)[]): Delivery {
  const hash = createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 32);
  return { id: `msg_${hash}`, type: event.type, url, body: JSON.stringify(event) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
