import { type ErrorCode, MillraceError } from '@millrace/shared/errors';
import type { ParsedTask } from '@millrace/shared/tasks/parse';
import {
  endedStates,
  type Family,
  priorityNumber,
  type TaskState,
  type TaskView,
  taskDefaults,
} from '@millrace/shared/tasks/task';
import type { FollowedEvent } from '../transport.ts';

/** How a task ends. */
export type Ending =
  | { readonly state: 'succeeded'; readonly output: Record<string, unknown> }
  | { readonly state: 'failed' | 'cancelled' | 'expired'; readonly error: MillraceError };

/** Which states follow which; whatever else is tried is a fault of the double. */
const transitions: Readonly<Record<TaskState, readonly TaskState[]>> = {
  scheduled: ['queued', 'succeeded', 'failed', 'cancelled', 'expired'],
  queued: ['running', 'succeeded', 'failed', 'cancelled', 'expired'],
  running: ['queued', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: ['queued'],
  cancelled: ['queued'],
  expired: ['queued'],
};

/** A task of the test double. Times in ms of the double's clock. */
export class TestTask {
  readonly id: string;
  readonly parsed: ParsedTask;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly attempts: number;
  expiresAt: number;
  priority: number;
  attempt = 0;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  progress: TaskView['progress'] = null;
  /** Tells whoever computes it that nobody wants it any more. */
  cancelling: AbortController | undefined;
  ending: Ending | undefined;
  private present: TaskState;
  private readonly listeners = new Set<(event: FollowedEvent) => void>();

  constructor(id: string, parsed: ParsedTask, now: number) {
    const { delayMs = 0, expiresInMs = Number.POSITIVE_INFINITY, attempts, priority } = parsed.options;
    this.id = id;
    this.parsed = parsed;
    this.createdAt = now;
    this.dueAt = now + delayMs;
    this.expiresAt = now + expiresInMs;
    this.attempts = attempts ?? taskDefaults.attempts;
    this.priority = priorityNumber(priority);
    this.present = delayMs > 0 ? 'scheduled' : 'queued';
  }

  get state(): TaskState {
    return this.present;
  }

  get family(): Family {
    return this.parsed.taskType.family;
  }

  get hasEnded(): boolean {
    return endedStates.includes(this.present);
  }

  /** The only way from one state to another. */
  enter(state: TaskState, now: number): void {
    if (!transitions[this.present].includes(state)) {
      throw new MillraceError('INTERNAL', `Task ${this.id} cannot become ${state}: it is ${this.present}.`);
    }
    this.present = state;
    this.tell({ kind: 'state', state, at: iso(now) });
  }

  /** Ends it; a task that has ended stays as it is. */
  end(ending: Ending, now: number): void {
    if (this.hasEnded) return;
    this.ending = ending;
    this.finishedAt = now;
    this.enter(ending.state, now);
    this.cancelling?.abort(ending.state === 'succeeded' ? undefined : ending.error);
    this.tell({ kind: 'end', view: this.view() });
  }

  report(done: number, total: number): void {
    this.progress = { done, total };
    this.tell({ kind: 'progress', done, total });
  }

  /** Hears what happens to it; what is given takes that back. */
  listen(listener: (event: FollowedEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  view(): TaskView {
    const { startedAt, finishedAt, parsed, ending } = this;
    const queuedMs = startedAt === undefined ? null : startedAt - this.dueAt;
    const computeMs = startedAt === undefined || finishedAt === undefined ? null : finishedAt - startedAt;
    const size = parsed.taskType.size(parsed.input);
    return {
      id: this.id,
      type: parsed.taskType.type,
      state: this.present,
      priority: this.priority,
      tags: [...(parsed.options.tags ?? [])],
      createdAt: iso(this.createdAt),
      startedAt: startedAt === undefined ? null : iso(startedAt),
      finishedAt: finishedAt === undefined ? null : iso(finishedAt),
      retryAt: null,
      attempt: this.attempt,
      attempts: this.attempts,
      worker: startedAt === undefined ? null : 'test',
      batch: startedAt === undefined ? null : { id: 'test', size },
      calls: this.attempt,
      timings: { queuedMs, batchedMs: startedAt === undefined ? null : 0, computeMs, settledMs: computeMs && 0 },
      progress: this.progress,
      ...(ending === undefined || ending.state === 'succeeded' ? {} : { error: errorOf(ending.error) }),
    };
  }

  private tell(event: FollowedEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}

function errorOf({ code, message, problems, items }: MillraceError): NonNullable<TaskView['error']> {
  return {
    code,
    message,
    ...(problems.length === 0 ? {} : { problems: [...problems] }),
    ...(items.length === 0 ? {} : { items: [...items] }),
  };
}

/** An error that ends a task, by its code or as it is. */
export function endingError(error: MillraceError | ErrorCode): MillraceError {
  return typeof error === 'string' ? new MillraceError(error, `The test wants it to fail with ${error}.`) : error;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
