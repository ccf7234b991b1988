import { MillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import type { Duty } from '@millrace/shared/sweep/sweeper';
import type { WebhookPolicy } from '@millrace/shared/tasks/webhook';
import type { Delivery } from '@millrace/shared/webhook-events';
import type { ApiConfig } from '../config.ts';
import { Deliverer } from './deliverer.ts';
import { addDeliveries, type DeliveryQueue, openDeliveryQueue, openDeliveryWorker } from './delivery-queue.ts';
import { guardedAgents, type Resolve } from './guarded-agents.ts';
import { webhookDuty, webhookScanDuty } from './webhook-duties.ts';

/** All that an API has of webhooks. */
export interface WebhookSide {
  /** For the board. */
  readonly queue: DeliveryQueue;
  /** What is looked at in the background. */
  readonly duties: Duty[];
  close(): Promise<void>;
}

interface OpenWebhooksParams {
  readonly config: ApiConfig;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly resolve?: Resolve;
}

/** A wait between two tries is never longer; ms. */
const longestWaitMs = 6 * 3_600_000;

/** Where webhooks may go by the settings. @throws MillraceError CONFIG_INVALID when there is nothing to sign them with. */
export function webhookPolicyOf(config: ApiConfig): WebhookPolicy {
  if (config.WEBHOOK_HOSTS.length > 0 && config.WEBHOOK_SECRET === undefined) {
    throw new MillraceError('CONFIG_INVALID', 'WEBHOOK_HOSTS is set, and WEBHOOK_SECRET is not. See .env.example.');
  }
  return { hosts: config.WEBHOOK_HOSTS, privateAddresses: config.WEBHOOK_PRIVATE_ADDRESSES === '1' };
}

/** Opens webhooks; undefined when they are off: then there is no connection, no queue and no duty. */
export function openWebhooks(params: OpenWebhooksParams): WebhookSide | undefined {
  const { config, redis, keys, metrics, log, resolve } = params;
  const policy = webhookPolicyOf(config);
  if (policy.hosts.length === 0) return undefined;
  const secrets = config.WEBHOOK_SECRET ?? [];
  const now = Date.now;
  const address = { redisUrl: config.REDIS_URL, prefix: keys.prefix, log };
  const { queue, close: closeQueue } = openDeliveryQueue(address);
  const guard = guardedAgents({ privateAddresses: policy.privateAddresses, ...(resolve ? { resolve } : {}) });
  const deliverer = new Deliverer({ policy, secrets, timeoutMs: config.WEBHOOK_TIMEOUT, guard, metrics, log, now });
  const worker = openDeliveryWorker({
    ...address,
    deliver: (job, token) => deliverer.deliver(job, token),
    backoff: (failed) => waitBefore(failed, config.WEBHOOK_BACKOFF),
  });
  const add = (deliveries: readonly Delivery[]) => addDeliveries(queue, deliveries, config.WEBHOOK_TRIES);
  const duty = { pending: new PendingWebhooks(redis, keys), policy, add, log, now };
  return {
    queue,
    duties: [webhookDuty(duty), webhookScanDuty(duty)],
    close: async () => {
      // In this order: what is given back must not be fetched again here.
      const closing = worker.close();
      deliverer.close();
      await closing;
      await closeQueue();
    },
  };
}

/** Twice as long after each failed try, less up to half at random, so that what failed together does not come back together. */
function waitBefore(failed: number, firstMs: number): number {
  const fullMs = Math.min(longestWaitMs, firstMs * 2 ** (failed - 1));
  return Math.round(fullMs * (1 - Math.random() / 2));
}
