import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from '@millrace/shared/metrics';

const resolutionMs = 10;
const everyMs = 1000;

/** Notes once a second how long the main thread was blocked; returns how to end it. */
export function watchProcess(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const timer = setInterval(() => {
    // It counts from one tick of its timer to the next, so the resolution itself is no delay; in ns.
    const blockedMs = Math.max(0, delay.max / 1e6 - resolutionMs);
    if (Number.isFinite(blockedMs)) metrics.observe('millrace_event_loop_delay_seconds', {}, blockedMs / 1000);
    delay.reset();
  }, everyMs).unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
