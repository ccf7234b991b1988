import type { Watch } from './waiting.ts';

/** How long somebody waits. */
export interface WaitBound {
  readonly timeoutMs: number;
  /** Ends the wait early, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Whether a watched task ends in time. @throws the reason of the signal when that is first, MillraceError CLOSED. */
export async function endsWithin(watch: Watch, { timeoutMs, signal }: WaitBound): Promise<boolean> {
  signal?.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  const over = new Promise<boolean>((resolve, reject) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
    abort = () => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([watch.ended.then(() => true), over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
