import { parseFailedReason } from '@millrace/shared/errors';
import type { StoredOutcome } from '@millrace/shared/redis/results';
import { endedStateOf } from '@millrace/shared/redis/task-end';
import type { TaskRecord } from '@millrace/shared/redis/task-record';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import type { TaskState, TaskView, Timings } from '@millrace/shared/tasks/task';

/** What a task is in Millrace's terms: derived from BullMQ's record, there is no second state machine. */
export function stateOf(record: TaskRecord): TaskState {
  switch (record.place) {
    case 'completed':
    case 'failed':
      return endedStateOf(record) ?? 'failed';
    case 'delayed':
      // A delay after an attempt is a backoff: the task waits like any other.
      return record.attemptsMade > 0 ? 'queued' : 'scheduled';
    case 'waiting':
    case 'waiting-children':
      return 'queued';
    case 'active':
      return record.orphaned ? 'queued' : 'running';
  }
}

/** A task as read, without its result. */
export function viewOf(ref: TaskRef, record: TaskRecord, outcome: StoredOutcome | undefined): TaskView {
  const state = stateOf(record);
  const error = errorOf(state, record, outcome);
  return {
    id: taskIdOf(ref),
    type: record.name,
    state,
    priority: record.priority,
    tags: tagsOf(record, outcome),
    createdAt: iso(record.createdAt),
    startedAt: record.processedAt === undefined ? null : iso(record.processedAt),
    finishedAt: record.finishedAt === undefined ? null : iso(record.finishedAt),
    retryAt: state === 'queued' && record.dueAt !== undefined ? iso(record.dueAt) : null,
    attempt: state === 'running' ? record.attemptsMade + 1 : record.attemptsMade,
    attempts: numberOr(record.opts['attempts'], 1),
    worker: outcome?.worker ?? (state === 'scheduled' || state === 'queued' ? null : (record.worker ?? null)),
    batch: outcome?.batch ?? null,
    calls: outcome?.calls ?? 0,
    timings: timingsOf(record, outcome),
    progress: progressOf(record),
    ...(error === undefined ? {} : { error }),
  };
}

function errorOf(state: TaskState, record: TaskRecord, outcome: StoredOutcome | undefined): TaskView['error'] {
  // A task that waits for its next attempt says why the last one failed.
  const failedBefore = state === 'queued' && record.attemptsMade > 0;
  if (record.failedReason === undefined || (record.place !== 'failed' && !failedBefore)) return undefined;
  const { code, detail } = parseFailedReason(record.failedReason);
  // A task that was cancelled between two attempts has the outcome of the last one, which is not why it ended.
  if (outcome?.status !== 'failed' || outcome.code !== code) return { code, message: detail };
  return {
    code,
    message: detail,
    ...(outcome.problems.length > 0 ? { problems: [...outcome.problems] } : {}),
    ...(outcome.items.length > 0 ? { items: [...outcome.items] } : {}),
  };
}

function timingsOf(record: TaskRecord, outcome: StoredOutcome | undefined): Timings {
  const due = record.createdAt + numberOr(record.opts['delay'], 0);
  const pulled = outcome?.pulledAt ?? record.processedAt;
  return {
    queuedMs: pulled === undefined ? null : Math.max(0, pulled - due),
    batchedMs: between(outcome?.pulledAt, outcome?.firstCallAt),
    computeMs: between(outcome?.firstCallAt, outcome?.lastCallEndedAt),
    settledMs: between(outcome?.lastCallEndedAt, record.finishedAt),
  };
}

function between(from: number | null | undefined, to: number | null | undefined): number | null {
  if (from === null || from === undefined || to === null || to === undefined) return null;
  return Math.max(0, to - from);
}

function tagsOf(record: TaskRecord, outcome: StoredOutcome | undefined): string[] {
  if (outcome !== undefined) return [...outcome.tags];
  const data = record.data;
  if (typeof data !== 'object' || data === null || !('tags' in data) || !Array.isArray(data.tags)) return [];
  return data.tags.filter((tag): tag is string => typeof tag === 'string');
}

function progressOf({ progress }: TaskRecord): TaskView['progress'] {
  if (typeof progress !== 'object' || progress === null) return null;
  if (!('done' in progress) || !('total' in progress)) return null;
  return { done: Number(progress.done), total: Number(progress.total) };
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
