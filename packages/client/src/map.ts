import type { MillraceError } from '@millrace/shared/errors';
import type { TaskOptions } from '@millrace/shared/tasks/task';
import { MapRun } from './map-run.ts';
import type { CallOptions, Transport } from './transport.ts';

/** How `map` does it; all else is said of each task. */
export interface MapOptions extends TaskOptions, CallOptions {
  /**
   * Tasks under way at once, from 1; default 64. As many results at most wait for the one before them.
   * Memory: so many inputs and outputs twice.
   */
  readonly inFlight?: number;
  /** How long to wait for each task from its acceptance on, in ms; default 10 minutes. Then it is cancelled: WAIT_TIMEOUT. */
  readonly waitMs?: number;
  /** How long to wait for room, or for Redis or the API to come back, in ms; default as `waitMs`. */
  readonly waitForRoomMs?: number;
}

/** What became of one input. */
export type MapOutcome<Input, Output> = {
  /** Its place among the inputs, from 0. */
  readonly index: number;
  readonly input: Input;
  /** Of its task; undefined when that was refused. */
  readonly id: string | undefined;
} & (
  | { readonly status: 'succeeded'; readonly output: Output }
  | { readonly status: 'failed'; readonly error: MillraceError }
);

/** The inputs of one type, and how they are mapped. */
export interface MapWork<Input> {
  readonly type: string;
  readonly inputs: Iterable<Input> | AsyncIterable<Input>;
  readonly options: MapOptions;
}

/** Yields the outcome of each input, in order; nothing happens before the first is asked for. */
export async function* mapTasks<Input, Output>(
  transport: Transport,
  work: MapWork<Input>,
): AsyncGenerator<MapOutcome<Input, Output>, void, undefined> {
  work.options.signal?.throwIfAborted();
  const run = new MapRun<Input, Output>(transport, work);
  try {
    for (let outcome = await run.next(); outcome !== undefined; outcome = await run.next()) yield outcome;
  } finally {
    await run.stop();
  }
}
