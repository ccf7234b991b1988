import type { MillraceError } from '@millrace/shared/errors';
import type { TaskOptions } from '@millrace/shared/tasks/task';
import type { RunSource } from './run-source.ts';
import type { RunPage, RunView } from './run-view.ts';
import type { CallOptions } from './transport.ts';

/** What is to be run, and how. */
export interface RunRequest {
  readonly type: string;
  readonly source: RunSource;
  /** Of each task. */
  readonly taskOptions: Omit<TaskOptions, 'priority' | 'webhook'>;
  readonly priority: NonNullable<TaskOptions['priority']>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Such as `24h`. */
  readonly completionWindow: string;
  readonly webhook: TaskOptions['webhook'];
}

/** What became of the input at a place; vectors are rows of float32. */
export type RunLineOutcome =
  | { readonly index: number; readonly output: Record<string, unknown> }
  | { readonly index: number; readonly error: MillraceError };

/** How a client reaches the runs of a mill. As the methods of `Transport`. */
export interface RunTransport {
  submit(request: RunRequest, options: CallOptions): Promise<RunView>;
  get(id: string, options: CallOptions): Promise<RunView>;
  list(page: { readonly limit: number; readonly after?: string | undefined }, options: CallOptions): Promise<RunPage>;
  cancel(id: string, options: CallOptions): Promise<RunView>;
  /** What became of the inputs of a run that has ended, by their places; those that had no turn are left out. */
  outcomes(view: RunView, options: CallOptions): AsyncGenerator<RunLineOutcome, void, undefined>;
}
