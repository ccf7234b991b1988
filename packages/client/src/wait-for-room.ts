import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '@millrace/shared/errors';

/** When the refusal does not say when to come again; ms. */
const defaultRetryMs = 1000;

/**
 * Enqueues, and as long as there is no room waits and tries again, for `waitMs` in all; each time after what the refusal said,
 * give or take a quarter, so that those who were refused together do not come again together.
 * @throws MillraceError QUEUE_FULL when there was no room to the end; any other at once.
 */
export async function waitForRoom<T>(waitMs: number, enqueue: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      return await enqueue();
    } catch (error) {
      const leftMs = deadline - performance.now();
      if (!(error instanceof MillraceError) || error.code !== 'QUEUE_FULL' || leftMs <= 0) throw error;
      const pauseMs = (error.retryAfterMs ?? defaultRetryMs) * (0.75 + Math.random() / 2);
      await sleep(Math.min(pauseMs, leftMs));
    }
  }
}
