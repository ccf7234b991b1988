import type { TaskRef } from '../tasks/ids.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** A call to a lane, as it is noted before it begins. */
export interface CallRecord {
  readonly id: string;
  /** Job ids of the tasks that had items in it. */
  readonly jobs: readonly string[];
  /** The one item, by its place in its task, when it was alone in the call. */
  readonly alone: number | null;
}

/** What dead workers left behind about a task. */
export interface CrashFacts {
  /** It was in a call that a worker was computing when it died. */
  readonly suspect: boolean;
  /** How often a worker died while it was alone in the call. */
  readonly crashes: number;
  /** The item that was alone, the last time. */
  readonly item: number | null;
}

/** A record outlives its worker, and a count its last crash, by so long; ms. */
const keptMs = 24 * 3600_000;

const noteCall = new Script('note-call', { beyondLimit: true });
const countCrash = new Script('count-crash', { beyondLimit: true });

/**
 * What each worker was computing, written before it computes: when a worker dies, this tells the tasks of its last calls, which
 * may have killed it, from those that only waited in it. Needs a connection that sends each command at once.
 */
export class CallRecords {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Notes the call that a lane begins next; `place` names one of the calls that a lane holds. */
  async begin(workerId: string, place: string, call: CallRecord): Promise<void> {
    const keys = [this.keys.calls(workerId), this.keys.callers];
    await noteCall.run(this.redis, keys, [workerId, place, JSON.stringify(call), keptMs]);
  }

  /** A worker that ends in order takes its records along. */
  async clear(workerId: string): Promise<void> {
    await this.redis.pipeline().del(this.keys.calls(workerId)).srem(this.keys.callers, workerId).exec();
  }

  /** Looks a task up in the last calls of workers that are dead; a crash is counted once, whoever looks. */
  async judge({ family, jobId }: TaskRef, living: ReadonlySet<string>): Promise<CrashFacts> {
    const callers = (await this.redis.smembers(this.keys.callers)).filter((id) => !living.has(id));
    const crashesKey = this.keys.crashes(family, jobId);
    let suspect = false;
    for (const workerId of callers) {
      const records = await this.redis.hvals(this.keys.calls(workerId));
      if (records.length === 0) await this.redis.srem(this.keys.callers, workerId);
      for (const record of records) {
        const call = JSON.parse(record) as CallRecord;
        if (!call.jobs.includes(jobId)) continue;
        suspect = true;
        if (call.alone !== null) await this.countCrash(crashesKey, call);
      }
    }
    const items = await this.redis.hvals(crashesKey);
    return {
      suspect: suspect || items.length > 0,
      crashes: items.length,
      item: items.length === 0 ? null : Number(items.at(-1)),
    };
  }

  /** Forgets the crashes of a task that has ended, or is tried again on purpose. */
  async forgive({ family, jobId }: TaskRef): Promise<void> {
    await this.redis.del(this.keys.crashes(family, jobId));
  }

  private async countCrash(key: string, { id, alone }: CallRecord): Promise<void> {
    await countCrash.run(this.redis, [key], [id, alone ?? 0, keptMs]);
  }
}
