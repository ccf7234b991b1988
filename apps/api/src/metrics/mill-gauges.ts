import type { Mill } from '@millrace/client/mill';
import type { Metrics } from '@millrace/shared/metrics';
import { readInfo } from '@millrace/shared/redis/info';
import { memoryOf } from '@millrace/shared/redis/memory';
import { type ObservedQueue, observeQueues } from '@millrace/shared/redis/queue-report';

const states = ['scheduled', 'queued', 'running', 'succeeded', 'failed'] as const;
const ofQueues = [
  'millrace_queue_tasks',
  'millrace_queue_oldest_seconds',
  'millrace_queue_paused',
  'millrace_workers',
  'millrace_wanted_workers',
] as const;
const ofRedis = ['millrace_redis_memory_used_bytes', 'millrace_redis_memory_limit_bytes'] as const;

/** Sets the gauges of what is in Redis. What cannot be read is left out rather than told as it was; never throws. */
export async function setMillGauges(metrics: Metrics, mill: Mill, drainTargetMs: number): Promise<void> {
  for (const name of [...ofQueues, ...ofRedis]) metrics.reset(name);
  const [queues, memory] = await Promise.all([
    observeQueues(mill, drainTargetMs).catch(() => []),
    readInfo(mill.redis, 'memory').then(memoryOf, () => undefined),
  ]);
  for (const queue of queues) setQueueGauges(metrics, queue, Date.now());
  metrics.set('millrace_redis_up', {}, memory === undefined ? 0 : 1);
  if (memory === undefined) return;
  metrics.set('millrace_redis_memory_used_bytes', {}, memory.used);
  metrics.set('millrace_redis_memory_limit_bytes', {}, memory.limit);
}

function setQueueGauges(metrics: Metrics, { facts, report }: ObservedQueue, now: number): void {
  const { family } = report;
  for (const state of states) metrics.set('millrace_queue_tasks', { family, state }, report.counts[state]);
  facts.waiting.forEach(({ priority, since }, index) => {
    if (since === undefined) return;
    const name = report.waiting[index]?.name ?? String(priority);
    metrics.set('millrace_queue_oldest_seconds', { family, priority: name }, Math.max(0, now - since) / 1000);
  });
  metrics.set('millrace_queue_paused', { family }, report.paused ? 1 : 0);
  metrics.set('millrace_workers', { family }, report.workers);
  metrics.set('millrace_wanted_workers', { family }, report.wantedWorkers);
}
