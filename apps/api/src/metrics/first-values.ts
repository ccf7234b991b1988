import type { Metrics } from '@millrace/shared/metrics';

/** What alerts wait for is there from the start, as 0: Prometheus sees no increase in a counter that comes as 1. */
export function setFirstValues(metrics: Metrics): void {
  metrics.count('millrace_tasks_refused_total', { code: 'QUEUE_FULL' }, 0);
  for (const outcome of ['given_up', 'refused']) metrics.count('millrace_webhook_deliveries_total', { outcome }, 0);
}
