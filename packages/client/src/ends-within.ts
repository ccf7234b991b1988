import { onAbort, timerMs } from './abortable.ts';
import type { Watch } from './waiting.ts';

/** How long somebody waits. */
export interface WaitBound {
  readonly timeoutMs: number;
  /** Ends the wait early, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How long an app waits for a task unless it says otherwise, in ms. */
export const defaultTimeoutMs = 60_000;

/** Whether a watched task ends in time. @throws the reason of the signal when that is first, MillraceError CLOSED. */
export async function endsWithin(watch: Watch, { timeoutMs, signal }: WaitBound): Promise<boolean> {
  signal?.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let off = () => {};
  const over = new Promise<boolean>((resolve, reject) => {
    timer = setTimeout(() => resolve(false), timerMs(timeoutMs));
    if (signal !== undefined) off = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([watch.ended.then(() => true), over]);
  } finally {
    clearTimeout(timer);
    off();
  }
}
