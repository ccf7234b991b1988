import { type ErrorCode, isErrorCode, MillraceError } from '@millrace/shared/errors';
import { pause } from './abortable.ts';
import type { WaitBound } from './ends-within.ts';
import type { RunLineOutcome, RunTransport } from './run-transport.ts';
import { hasEnded, type RunOutcome, type RunView } from './run-view.ts';
import type { CallOptions } from './transport.ts';

/** How a run is followed. */
export interface FollowRunOptions extends CallOptions {
  /** Between two looks, in ms; default a quarter of a second at first and 2 s in the end. */
  readonly everyMs?: number;
}

const firstLookMs = 250;
const longestLookMs = 2000;

/** A run in a mill; `Output` is what its tasks give. It goes on whether or not somebody holds this. */
export class Run<T extends string | null = string, Output = unknown> {
  readonly id: string;
  readonly type: T;
  private readonly runs: RunTransport;

  constructor(runs: RunTransport, id: string, type: T) {
    this.runs = runs;
    this.id = id;
    this.type = type;
  }

  /** The run as it stands. @throws MillraceError RUN_NOT_FOUND. */
  async read(options: CallOptions = {}): Promise<RunView> {
    return await this.runs.get(this.id, options);
  }

  /**
   * The run as it stands, each time that it has changed, up to its end. An API that is away is asked again for `retryMs`.
   * @throws MillraceError RUN_NOT_FOUND; the reason of the signal.
   */
  async *follow({ signal, everyMs }: FollowRunOptions = {}): AsyncGenerator<RunView, void, undefined> {
    let known = '';
    for (let lookMs = everyMs ?? firstLookMs; ; lookMs = everyMs ?? Math.min(lookMs * 1.5, longestLookMs)) {
      const view = await this.runs.get(this.id, { signal });
      const text = JSON.stringify(view);
      if (text !== known) yield view;
      if (hasEnded(view)) return;
      known = text;
      await pause(lookMs, signal);
    }
  }

  /**
   * Waits for the end, however it ends: `state` tells. Without `timeoutMs` as long as it takes.
   * @throws MillraceError WAIT_TIMEOUT (the run goes on), RUN_NOT_FOUND; the reason of the signal.
   */
  async ended({ timeoutMs = Number.POSITIVE_INFINITY, signal }: Partial<WaitBound> = {}): Promise<RunView> {
    const late = new AbortController();
    const detail = `Run ${this.id} had not ended after ${timeoutMs} ms.`;
    const over = pause(timeoutMs, late.signal).then(() => late.abort(new MillraceError('WAIT_TIMEOUT', detail)));
    over.catch(() => {});
    try {
      const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
      return await lastView(this, either);
    } finally {
      late.abort();
    }
  }

  /**
   * What became of each input, in order: waits for the end, then reads output and errors side by side as outcomes are taken, never
   * all at once. What a run that was cancelled, or ran out of time, had not done is a failure, CANCELLED or EXPIRED.
   * @throws MillraceError what failed the run as a whole (behind the outcomes that there are), INVALID_REQUEST for a run that no
   * `runs.submit` began, FILE_NOT_FOUND when its time is over; the reason of the signal.
   */
  async *results({ signal }: CallOptions = {}): AsyncGenerator<RunOutcome<Output>, void, undefined> {
    const view = await lastView(this, signal);
    let index = 0;
    for await (const outcome of this.runs.outcomes(view, { signal })) {
      for (; index < outcome.index; index += 1) yield { index, status: 'failed', error: notDone(view) };
      // What the worker stored is the output of this very type.
      yield settled(outcome) as RunOutcome<Output>;
      index += 1;
    }
    if (view.state === 'failed') throw failureOf(view);
    for (; index < view.counts.total; index += 1) yield { index, status: 'failed', error: notDone(view) };
  }

  /**
   * Ends it: what is under way is cancelled, what has ended stays. Once more changes nothing.
   * @throws MillraceError RUN_ENDED, RUN_NOT_FOUND.
   */
  async cancel(options: CallOptions = {}): Promise<RunView> {
    return await this.runs.cancel(this.id, options);
  }
}

async function lastView(run: Run<string | null>, signal: AbortSignal | undefined): Promise<RunView> {
  for await (const view of run.follow({ signal })) if (hasEnded(view)) return view;
  throw new MillraceError('INTERNAL', `Run ${run.id} was no longer followed, and had not ended.`);
}

function settled(outcome: RunLineOutcome): RunOutcome<unknown> {
  const { index } = outcome;
  if ('error' in outcome) return { index, status: 'failed', error: outcome.error };
  return { index, status: 'succeeded', output: outcome.output };
}

function notDone({ id, state }: RunView): MillraceError {
  const code = state === 'cancelled' ? 'CANCELLED' : state === 'expired' ? 'EXPIRED' : 'INTERNAL';
  return new MillraceError(code, `The run ${id} is ${state}, and this input had not had its turn.`);
}

/** Faults of a line have names of OpenAI's; those of Millrace are codes in small letters. */
function failureOf({ id, errors }: RunView): MillraceError {
  const [first] = errors;
  const code = first?.code.toUpperCase() ?? '';
  const ours: ErrorCode = isErrorCode(code) ? code : 'INVALID_REQUEST';
  const problems = errors.map(({ line, param, message }) => ({
    path: [line === null ? [] : `line ${line}`, param ?? []].flat().join(' '),
    got: message,
    expected: 'a line that can be run',
    remedy: 'Mend it, and submit all again.',
  }));
  return new MillraceError(ours, `The run ${id} failed: ${first?.message ?? 'nobody said why.'}`, { problems });
}
