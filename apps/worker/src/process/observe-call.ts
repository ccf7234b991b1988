import type { Metrics } from '@millrace/shared/metrics';
import type { CallEnd, LaneCall } from '../compute/lane.ts';

interface CallFacts {
  readonly call: LaneCall;
  readonly end: Extract<CallEnd, { kind: 'done' }>;
  /** How many tasks had items in it. */
  readonly tasks: number;
  /** The share of its budget that it used. */
  readonly fill: number;
}

/** Notes what a call that ended well took. */
export function observeCall(metrics: Metrics, { call, end, tasks, fill }: CallFacts): void {
  const { type } = call;
  metrics.observe('millrace_call_items', { type }, call.items.length);
  metrics.observe('millrace_call_tasks', { type }, tasks);
  metrics.observe('millrace_call_fill_ratio', { type }, fill);
  metrics.observe('millrace_call_seconds', { type }, (end.endedAt - end.beganAt) / 1000);
  const { realTokens = 0, paddedTokens = 0 } = end.stats;
  if (realTokens > 0) metrics.count('millrace_tokens_total', { type, kind: 'real' }, realTokens);
  if (paddedTokens > 0) metrics.count('millrace_tokens_total', { type, kind: 'padded' }, paddedTokens);
}
