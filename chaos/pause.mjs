/**
 * Waits, or returns at once when the run is stopped.
 *
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}

/**
 * @param {number} at ms since 1970
 * @param {AbortSignal} signal
 */
export async function pauseUntil(at, signal) {
  const ms = at - Date.now();
  if (ms > 0) await pause(ms, signal);
}

/**
 * Asks again and again until it is so.
 *
 * @param {() => boolean | Promise<boolean>} isSo
 * @param {{ what: string, withinMs: number, signal: AbortSignal, everyMs?: number }} params
 */
export async function until(isSo, { what, withinMs, signal, everyMs = 100 }) {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (signal.aborted) throw new Error('stopped');
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await pause(everyMs, signal);
  }
}
