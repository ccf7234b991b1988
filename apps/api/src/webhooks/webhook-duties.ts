import type { Logger } from '@millrace/shared/logger';
import { isOutOfMemory } from '@millrace/shared/redis/memory-limit';
import type { PendingWebhook, PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import type { Duty } from '@millrace/shared/sweep/sweeper';
import { type Family, families } from '@millrace/shared/tasks/task';
import type { WebhookPolicy } from '@millrace/shared/tasks/webhook';
import type { Delivery } from '@millrace/shared/webhook-events';

interface WebhookDutyParams {
  readonly pending: PendingWebhooks;
  readonly policy: WebhookPolicy;
  /** Queues webhooks for delivery, each once. */
  readonly add: (deliveries: readonly Delivery[]) => Promise<void>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Read in one step: a short pause for Redis. */
const perStep = 1000;
/** Steps of one round and family: how far behind the newest events it can catch up. */
const eventSteps = 10;
const scanSteps = 5;
/** As long as a scan finds what was missed it goes on for so many steps. */
const mostScanSteps = 20;
/**
 * A note whose task is not there is of a task that was never added, or was deleted. Clocks may differ by less than that, and no
 * producer takes so long between the two; ms.
 */
const strayMs = 3_600_000;
/** The policy is published again this often; ms. */
const publishEveryMs = 3_600_000;

/** Queues the webhooks of what has ended, by the events of the queues: within about half a second. */
export function webhookDuty(params: WebhookDutyParams): Duty {
  let publishedAt = Number.NEGATIVE_INFINITY;
  return {
    name: 'webhooks',
    everyMs: 500,
    run: async () =>
      await unlessFull(params.log, async () => {
        const isDue = params.now() - publishedAt >= publishEveryMs;
        if (isDue && (await publish(params))) publishedAt = params.now();
        const queued = await Promise.all([
          queueKnownEnds(params),
          ...families.map((family) => followEvents(params, family)),
        ]);
        return queued.reduce((sum, count) => sum + count, 0);
      }),
  };
}

/** Looks slowly through all that is pending, for what events did not tell of: they are trimmed while no API runs. */
export function webhookScanDuty(params: WebhookDutyParams): Duty {
  const cursors = new Map<Family, string>();
  return {
    name: 'webhook-scan',
    everyMs: 5000,
    run: async () =>
      await unlessFull(params.log, async () => {
        const queued = await Promise.all(families.map((family) => scanFamily(params, family, cursors)));
        return queued.reduce((sum, count) => sum + count, 0);
      }),
  };
}

/** A full Redis takes none, and must not keep what is to be told from the queue. */
async function publish({ pending, policy }: WebhookDutyParams): Promise<boolean> {
  try {
    await pending.publishPolicy(policy);
    return true;
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    return false;
  }
}

async function queueKnownEnds({ pending, add }: WebhookDutyParams): Promise<number> {
  const deliveries = await pending.knownEnds(perStep);
  await add(deliveries);
  await pending.forgetEnds(deliveries.map(({ id }) => id));
  return deliveries.length;
}

async function followEvents(params: WebhookDutyParams, family: Family): Promise<number> {
  const { pending } = params;
  const from = await pending.place(family);
  let place = from;
  let queued = 0;
  for (let step = 0; step < eventSteps; step += 1) {
    const ended = await pending.endedSince(family, place, perStep);
    queued += await queueEnded(params, family, await pending.among(family, ended.jobIds));
    place = ended.place;
    if (ended.read < perStep) break;
  }
  // Only now: what a process that dies over it has read is read again.
  if (place !== from) await pending.setPlace(family, place);
  return queued;
}

async function scanFamily(params: WebhookDutyParams, family: Family, cursors: Map<Family, string>): Promise<number> {
  let queued = 0;
  for (let step = 0; step < mostScanSteps; step += 1) {
    const { cursor, pending } = await params.pending.scan(family, cursors.get(family) ?? '0', perStep);
    cursors.set(family, cursor);
    const found = await queueEnded(params, family, pending);
    queued += found;
    if (cursor === '0' || (found === 0 && step + 1 >= scanSteps)) break;
  }
  return queued;
}

/** Queues the webhooks of those that have ended, and forgets those whose tasks are no more. Gives how many were queued. */
async function queueEnded(
  { pending, add, now }: WebhookDutyParams,
  family: Family,
  entries: readonly PendingWebhook[],
): Promise<number> {
  const looked = await pending.look(family, entries);
  const ended = looked.flatMap(({ pending: entry, delivery }) => (delivery === undefined ? [] : [{ entry, delivery }]));
  await add(ended.map(({ delivery }) => delivery));
  const stray = looked.filter(({ record, pending: { notedAt } }) => record === undefined && notedAt < now() - strayMs);
  // A task that was tried again meanwhile was noted anew, and stays.
  await pending.forget(family, [...ended.map(({ entry }) => entry), ...stray.map(({ pending: entry }) => entry)]);
  return ended.length;
}

/** While Redis is full a round ends where it is: the next begins there again. */
async function unlessFull(log: Logger, round: () => Promise<number>): Promise<number> {
  try {
    return await round();
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    log.debug({ event: 'webhooks.full' }, 'Redis is full: webhooks are queued later');
    return 0;
  }
}
