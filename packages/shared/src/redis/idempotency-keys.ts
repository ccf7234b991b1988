import type { TaskRef } from '../tasks/ids.ts';
import type { Family } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** A caller's key; the caller is the name of an API key, so that nobody meets another's. */
export interface IdempotencyKey {
  readonly caller: string;
  readonly key: string;
}

/** What a key stands for. */
export interface IdempotentTask {
  readonly id: string;
  /** sha256 of the task as it was submitted. */
  readonly bodyHash: string;
}

/** A claim whose task was refused, or never came, is over by itself; ms. */
const unconfirmedMs = 24 * 3600_000;

const claimKey = new Script('claim-idempotency');
const forgetKeys = new Script('forget-idempotency');

/**
 * Which task each Idempotency-Key stands for. A key is claimed before its task is added, under an id that a repeat finds again,
 * and kept until the task's record is removed.
 */
export class IdempotencyKeys {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Claims a key for a task; the task that has it, when that is another than `over`, whose time is over. */
  async claim(
    { caller, key }: IdempotencyKey,
    wanted: IdempotentTask,
    over: IdempotentTask | undefined,
  ): Promise<IdempotentTask | undefined> {
    const args = [over === undefined ? '' : textOf(over), textOf(wanted), unconfirmedMs];
    const held = (await claimKey.run(this.redis, [this.keys.idempotency(caller, key)], args)) as string | null;
    return held === null ? undefined : (JSON.parse(held) as IdempotentTask);
  }

  /** Keeps a key as long as its task, which Redis has now. */
  async confirm({ caller, key }: IdempotencyKey, { family, jobId }: TaskRef): Promise<void> {
    const redisKey = this.keys.idempotency(caller, key);
    await this.redis.multi().persist(redisKey).hset(this.keys.idempotencyOf(family), jobId, redisKey).exec();
  }

  /** Removes the keys of tasks that are removed. */
  async forget(family: Family, jobIds: readonly string[]): Promise<void> {
    if (jobIds.length > 0) await forgetKeys.run(this.redis, [this.keys.idempotencyOf(family)], jobIds);
  }
}

/** Compared as text: always written in this order. */
function textOf({ id, bodyHash }: IdempotentTask): string {
  return JSON.stringify({ id, bodyHash });
}
