import { setMaxListeners } from 'node:events';

/** Does something when a signal is aborted; what it gives takes that back. */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  // A signal for thousands of tasks has thousands of listeners: no leak, and no warning of one.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', act, { once: true });
  return () => signal.removeEventListener('abort', act);
}

/** What `act` gives, or the reason of the signal if that is first: then what was begun goes on, and nobody hears of it. */
export function raced<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
  if (signal === undefined) return act();
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const off = onAbort(signal, () => reject(signal.reason));
    void act().then(resolve, reject).finally(off);
  });
}

/** The longest that a timer of Node counts, 24.8 days; with more it would go off at once. */
const longestTimerMs = 2 ** 31 - 1;

/** A time for a timer: Infinity waits for as long as one can. */
export function timerMs(ms: number): number {
  return Math.min(ms, longestTimerMs);
}

/** Waits so many ms. @throws the reason of the signal. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let off = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(resolve, timerMs(ms));
      if (signal !== undefined) off = onAbort(signal, () => reject(signal.reason));
    });
  } finally {
    clearTimeout(timer);
    off();
  }
}
