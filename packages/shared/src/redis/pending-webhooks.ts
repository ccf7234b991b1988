import type { TaskRef } from '../tasks/ids.ts';
import type { Family } from '../tasks/task.ts';
import { type WebhookPolicy, webhookPolicySchema } from '../tasks/webhook.ts';
import { type Delivery, taskDelivery } from '../webhook-events.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';
import { TaskIndex } from './task-index.ts';
import { readTaskRecords, type TaskRecord } from './task-record.ts';

/** What is noted of an accepted task must be noted, and go again, while Redis is full, too. */
const noteWebhook = new Script('note-webhook', { beyondLimit: true });
const forgetWebhooks = new Script('forget-webhooks', { beyondLimit: true });
const keepWebhooks = new Script('keep-webhooks', { beyondLimit: true });
const setWebhookPlace = new Script('set-webhook-place', { beyondLimit: true });
const endedWebhooks = new Script('ended-webhooks');

/** The policy outlives its last API for so long: tasks with webhooks are accepted meanwhile, and told of later. s. */
const policyTtlSeconds = 7 * 24 * 3600;

/** A task whose end somebody is told of. */
export interface PendingWebhook {
  readonly jobId: string;
  readonly url: string;
  /** When it was noted, in ms since 1970. */
  readonly notedAt: number;
  /** As it lies in Redis: another note has another. */
  readonly note: string;
}

/** A pending task as it stands. */
export interface LookedAt {
  readonly pending: PendingWebhook;
  readonly record: TaskRecord | undefined;
  /** What is to be sent, if it has ended. */
  readonly delivery: Delivery | undefined;
}

/**
 * The tasks whose end somebody is told of, and the ends that are known but not queued for delivery yet. A task is noted before its
 * job is added, and goes when its delivery is queued; what is about to lose its job (retention) or its end (a retry) leaves
 * what is to be told behind. So an end is never missed, whoever dies, and however long no API runs.
 */
export class PendingWebhooks {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Says where webhooks may go, to all who enqueue past the API. */
  async publishPolicy(policy: WebhookPolicy): Promise<void> {
    await this.redis.set(this.keys.webhookPolicy, JSON.stringify(policy), 'EX', policyTtlSeconds);
  }

  /** Undefined when webhooks are off. */
  async policy(): Promise<WebhookPolicy | undefined> {
    const text = await this.redis.get(this.keys.webhookPolicy);
    return text === null ? undefined : webhookPolicySchema.parse(JSON.parse(text));
  }

  /** Notes tasks that are about to be added. */
  async note(family: Family, tasks: readonly { jobId: string; url: string }[], now: number): Promise<void> {
    if (tasks.length === 0) return;
    const notes = tasks.flatMap(({ jobId, url }) => [jobId, noteOf(url, now)]);
    await this.redis.hset(this.keys.webhookPending(family), ...notes);
  }

  /** Notes a task that is there already and may end soon: one that is pulled, or tried again. Not while webhooks are off. */
  async noteKnown({ family, jobId }: TaskRef, url: string, now: number): Promise<void> {
    const { webhookPolicy, webhookPending } = this.keys;
    await noteWebhook.run(this.redis, [webhookPolicy, webhookPending(family)], [jobId, noteOf(url, now)]);
  }

  /** Pending tasks that have ended by the events of their queue behind a place, and the place to go on from. */
  async endedSince(
    family: Family,
    place: string,
    count: number,
  ): Promise<{ place: string; jobIds: string[]; read: number }> {
    const names = [this.keys.bull(family, 'events'), this.keys.webhookPending(family)];
    const reply = (await endedWebhooks.run(this.redis, names, [place, count])) as [string, number, ...string[]];
    const [next, read, ...jobIds] = reply;
    return { place: next, read, jobIds: [...new Set(jobIds)] };
  }

  /** Some of the pending tasks, from a cursor of HSCAN on; the cursor behind the last is `0`. */
  async scan(family: Family, cursor: string, count: number): Promise<{ cursor: string; pending: PendingWebhook[] }> {
    const [next, flat] = await this.redis.hscan(this.keys.webhookPending(family), cursor, 'COUNT', count);
    return { cursor: next, pending: pairs(flat).map(([jobId, note]) => pendingOf(jobId, note)) };
  }

  /** Those of some jobs that are pending. */
  async among(family: Family, jobIds: readonly string[]): Promise<PendingWebhook[]> {
    // Mills without webhooks have no such key, and send no ids for nothing.
    if (jobIds.length === 0 || (await this.redis.exists(this.keys.webhookPending(family))) === 0) return [];
    const notes = await this.redis.hmget(this.keys.webhookPending(family), ...jobIds);
    return jobIds.flatMap((jobId, index) => {
      const note = notes[index];
      return note === null || note === undefined ? [] : [pendingOf(jobId, note)];
    });
  }

  /** How pending tasks stand, and what is to be sent of those that have ended. */
  async look(family: Family, pending: readonly PendingWebhook[]): Promise<LookedAt[]> {
    if (pending.length === 0) return [];
    const { redis, keys } = this;
    const jobIds = pending.map(({ jobId }) => jobId);
    const records = await readTaskRecords({ redis, keys }, { family, jobIds }, false);
    const tags = await new TaskIndex(redis, keys).tagsOf(family, jobIds);
    return pending.map((entry, index) => {
      const record = records[index];
      const facts = { ref: { family, jobId: entry.jobId }, tags: tags[index] ?? [] };
      return { pending: entry, record, delivery: record && taskDelivery({ ...facts, record }, entry.url) };
    });
  }

  /** Forgets pending tasks, unless they were noted anew since they were read. */
  async forget(family: Family, pending: readonly PendingWebhook[]): Promise<void> {
    if (pending.length === 0) return;
    const args = pending.flatMap(({ jobId, note }) => [jobId, note]);
    await forgetWebhooks.run(this.redis, [this.keys.webhookPending(family)], args);
  }

  /** Keeps what is to be told of ended tasks whose jobs are about to go, or to wait again. */
  async keepEnds(family: Family, jobIds: readonly string[]): Promise<void> {
    const looked = await this.look(family, await this.among(family, jobIds));
    const args = looked.flatMap(({ pending: { jobId }, delivery }) =>
      delivery === undefined ? [] : [jobId, delivery.id, JSON.stringify(delivery)],
    );
    if (args.length === 0) return;
    await keepWebhooks.run(this.redis, [this.keys.webhookPending(family), this.keys.webhookEnds], args);
  }

  /** Some of the known ends that are not queued yet. */
  async knownEnds(count: number): Promise<Delivery[]> {
    const [, flat] = await this.redis.hscan(this.keys.webhookEnds, '0', 'COUNT', count);
    return pairs(flat).map(([, text]) => JSON.parse(text) as Delivery);
  }

  /** Forgets known ends that are queued now. */
  async forgetEnds(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.redis.hdel(this.keys.webhookEnds, ...ids);
  }

  /** The place in the events of a family that all before was looked at. */
  async place(family: Family): Promise<string> {
    return (await this.redis.hget(this.keys.webhookPlaces, family)) ?? '0-0';
  }

  async setPlace(family: Family, place: string): Promise<void> {
    await setWebhookPlace.run(this.redis, [this.keys.webhookPlaces], [family, place]);
  }
}

function noteOf(url: string, now: number): string {
  return `${now} ${url}`;
}

function pendingOf(jobId: string, note: string): PendingWebhook {
  const space = note.indexOf(' ');
  return { jobId, note, notedAt: Number(note.slice(0, space)), url: note.slice(space + 1) };
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2] ?? '', flat[index * 2 + 1] ?? '']);
}
