import { readQueueFacts } from '@millrace/shared/redis/queue-facts';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { exposition, expositionType, type MetricsSource, metricsSchema } from '../metrics/exposition.ts';
import type { ApiServer } from '../server.ts';

/** GET /metrics: this API's metrics and those of every live worker. While Redis is away, its own. */
export function metricsRoute(app: ApiServer, deps: ApiDeps): void {
  app.route({
    method: 'GET',
    url: '/metrics',
    config: { quiet: true },
    schema: {
      tags: ['operation'],
      operationId: 'metrics',
      summary: 'Metrics of this API and of every live worker, for Prometheus',
      response: { 200: { description: 'Text format', content: { 'text/plain': { schema: z.string() } } } },
    },
    handler: async (_request, reply) => {
      const { metrics } = deps;
      metrics.set('millrace_waiters', {}, deps.waits.size);
      metrics.set('millrace_process_rss_bytes', {}, process.memoryUsage.rss());
      // Counts that cannot be read are left out rather than told as they were.
      metrics.reset('millrace_queue_tasks');
      const [workers] = await Promise.all([workerMetrics(deps), countQueues(deps)]);
      const own = { labels: {}, metrics: metricsSchema.parse(await metrics.registry.getMetricsAsJSON()) };
      return reply.type(expositionType).send(exposition([own, ...workers]));
    },
  });
}

async function workerMetrics({ mill }: ApiDeps): Promise<MetricsSource[]> {
  const byWorker = await mill.workers.metrics().catch(() => new Map<string, unknown>());
  return [...byWorker].flatMap(([worker, json]) => {
    const parsed = metricsSchema.safeParse(json);
    return parsed.success ? [{ labels: { worker }, metrics: parsed.data }] : [];
  });
}

async function countQueues({ mill, metrics }: ApiDeps): Promise<void> {
  const states = ['scheduled', 'queued', 'running', 'succeeded', 'failed'] as const;
  await Promise.all(
    [...mill.queues.keys()].map(async (family) => {
      const facts = await readQueueFacts(mill, family, []).catch(() => undefined);
      if (facts === undefined) return;
      for (const state of states) metrics.set('millrace_queue_tasks', { family, state }, facts[state]);
    }),
  );
}
