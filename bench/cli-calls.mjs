import { silentLogger } from '@millrace/shared/logger';
import { connectRedis } from '@millrace/shared/redis/connection';
import { createKeys } from '@millrace/shared/redis/keys';
import { WorkerRegistry } from '@millrace/shared/redis/workers';

/**
 * The calls of `inference.embed` that workers have made, by the metrics of their last heartbeats.
 *
 * @param {string} redisUrl
 * @param {string} prefix
 * @returns {Promise<{ sum: number, count: number }>} their time in seconds, and how many
 */
export async function callSeconds(redisUrl, prefix) {
  const redis = connectRedis({ url: redisUrl, role: 'producer', name: 'bench', log: silentLogger() });
  try {
    const all = await new WorkerRegistry(redis, createKeys(prefix)).metrics();
    const total = { sum: 0, count: 0 };
    for (const metrics of all.values()) {
      const table = /** @type {{ name: string, values: { metricName?: string, value: number }[] }[]} */ (metrics);
      const values = table.find(({ name }) => name === 'millrace_call_seconds')?.values ?? [];
      for (const { metricName, value } of values) {
        if (metricName === 'millrace_call_seconds_sum') total.sum += value;
        if (metricName === 'millrace_call_seconds_count') total.count += value;
      }
    }
    return total;
  } finally {
    redis.disconnect();
  }
}
