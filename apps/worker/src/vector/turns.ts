import { setImmediate as turn } from 'node:timers/promises';
import { MillraceError } from '@millrace/shared/errors';

/** So long it computes before messages have their turn, in ms: one may say that the call is to stop. */
const turnMs = 20;

/** Cuts long work of a call into slices: between two of them messages come in, and replies of Redis. */
export class Turns {
  private readonly signal: AbortSignal;
  private dueAt = performance.now() + turnMs;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  get isDue(): boolean {
    return performance.now() > this.dueAt;
  }

  /** Lets others have their turn. @throws MillraceError TASK_TIMEOUT when the call has been told to stop. */
  async take(): Promise<void> {
    await turn();
    this.dueAt = performance.now() + turnMs;
    if (this.signal.aborted) throw tookTooLong();
  }
}

/** What becomes of a call that is told to stop. */
export function tookTooLong(): MillraceError {
  return new MillraceError('TASK_TIMEOUT', 'It took too long.');
}

/**
 * What a promise gives, unless the call is told to stop before: then nobody waits for it any more. `mayLeave`: whether it may be
 * left; what can stop by itself should.
 */
export async function unlessStopped<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  mayLeave: () => boolean = () => true,
): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const stop = () => {
      if (mayLeave()) reject(tookTooLong());
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
