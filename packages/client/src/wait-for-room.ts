import { MillraceError } from '@millrace/shared/errors';
import { pause } from './abortable.ts';

/** How long to wait for room. */
interface Patience {
  readonly waitMs: number;
  /** Ends the wait early, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** When the refusal does not say when to come again; ms. */
const defaultRetryMs = 1000;

/**
 * Enqueues, and as long as there is no room waits and tries again, for `waitMs` in all.
 * @throws MillraceError QUEUE_FULL or RATE_LIMITED when there was no room to the end; any other at once; the reason of the signal.
 */
export async function waitForRoom<T>({ waitMs, signal }: Patience, enqueue: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      return await enqueue();
    } catch (error) {
      const leftMs = deadline - performance.now();
      if (!(error instanceof MillraceError) || !isFull(error) || leftMs <= 0) throw error;
      await pause(Math.min(retryPauseMs(error), leftMs), signal);
    }
  }
}

/** Whether it was refused since there is too much of it now, and nothing was done. */
export function isFull({ code }: MillraceError): boolean {
  return code === 'QUEUE_FULL' || code === 'RATE_LIMITED';
}

/**
 * When to come again after a refusal, in ms: after what it said, give or take a quarter, so that those who were refused together do
 * not come again together.
 */
export function retryPauseMs({ retryAfterMs = defaultRetryMs }: MillraceError): number {
  return retryAfterMs * (0.75 + Math.random() / 2);
}
