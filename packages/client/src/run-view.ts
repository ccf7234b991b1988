import type { MillraceError } from '@millrace/shared/errors';
import type { RunError, RunStatus } from '@millrace/shared/redis/run-record';

/** A run as it stands. Times are ISO 8601 UTC, to the second. */
export interface RunView {
  readonly id: string;
  /** Of its tasks; null for a run that no `runs.submit` began. */
  readonly type: string | null;
  /** As in docs/runs.md: `validating`, `in_progress`, `finalizing`, then `completed`, `failed`, `expired` or `cancelled`. */
  readonly state: RunStatus;
  /** `total` is 0 until the run is validated; what counts as succeeded or failed is safely stored. */
  readonly counts: { readonly total: number; readonly succeeded: number; readonly failed: number };
  readonly linesPerSecond: number | null;
  /** About how long it still takes; ms. */
  readonly leftMs: number | null;
  /** Why it does not go on at the moment; it does so by itself when that is over. */
  readonly blocked: { readonly code: string; readonly message: string } | null;
  /** Why it failed as a whole. */
  readonly errors: readonly RunError[];
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly expiresAt: string | null;
  /** Those of its tasks: a name or a number. */
  readonly priority: string;
  /** What it was given to be known by. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Files of the API's store; null while there is none, and when nothing would be in it. */
  readonly files: { readonly input: string | null; readonly output: string | null; readonly errors: string | null };
}

/** A page of runs, newest first. */
export interface RunPage {
  readonly runs: readonly RunView[];
  /** Leads to the next page; null after the last. */
  readonly after: string | null;
}

/** What became of one input of a run; `index` is its place among the inputs, from 0. */
export type RunOutcome<Output> = { readonly index: number } & (
  | { readonly status: 'succeeded'; readonly output: Output }
  | { readonly status: 'failed'; readonly error: MillraceError }
);

/** A run has no further to go. */
export function hasEnded({ state }: RunView): boolean {
  return state === 'completed' || state === 'failed' || state === 'expired' || state === 'cancelled';
}
