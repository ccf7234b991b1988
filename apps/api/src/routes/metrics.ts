import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { exposition, expositionType, type MetricsSource, metricsSchema } from '../metrics/exposition.ts';
import { setMillGauges } from '../metrics/mill-gauges.ts';
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
      const { mill, metrics, drainTargetMs } = deps;
      metrics.set('millrace_waiters', {}, deps.waits.size);
      metrics.set('millrace_process_rss_bytes', {}, process.memoryUsage.rss());
      const [workers] = await Promise.all([workerMetrics(deps), setMillGauges(metrics, mill, drainTargetMs)]);
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
