import type { MillraceError } from '@millrace/shared/errors';
import type { RunCursor } from '@millrace/shared/redis/run-record';
import type { RunLine } from './run-line.ts';
import type { RunTask, RunTaskOutcome } from './task-runner.ts';

/** What became of a line. `undone`: the run ended before it was its turn. */
export type LineOutcome =
  | {
      readonly kind: 'succeeded';
      /** The body of the response, as JSON. */
      readonly body: string;
      readonly tokens: number;
    }
  | { readonly kind: 'failed'; readonly error: MillraceError }
  | { readonly kind: 'undone' };

/** Has a task computed; it is remembered as the unit's, to be forgotten with it. */
export type RunOneTask = (task: RunTask) => Promise<RunTaskOutcome>;

/** What a window counts. */
export interface UnitSize {
  /** Texts, or tasks. */
  readonly items: number;
  /** Bytes of the input. */
  readonly bytes: number;
}

/**
 * Some consecutive lines of a run that are computed and written together. How lines make units depends on nothing but the lines
 * from the beginning of one on, so whoever takes a run over makes the same units.
 */
export interface Unit extends UnitSize {
  readonly lines: readonly RunLine[];
  /** The place behind the last of them. */
  readonly end: RunCursor;
  /** Computes them; one outcome for each, in order. @throws what ends the work as a whole. */
  work(runTask: RunOneTask): Promise<LineOutcome[]>;
}

/** How an endpoint makes units of lines. */
export type CutUnits = (lines: AsyncIterable<readonly RunLine[]>) => AsyncGenerator<Unit>;
