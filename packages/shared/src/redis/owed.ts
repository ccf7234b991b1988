import { type Family, families } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

const forgetOwed = new Script('forget-owed');

/**
 * The bytes that accepted tasks of a family are still expected to write: results, records, events. A task's own number is noted
 * with its job (`owed` of its options) and counted when it is accepted; the scripts that end a task take it off again. What
 * goes astray by a crash between two steps is forgotten when the family has no unfinished task.
 */
export class OwedBytes {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Counts what newly accepted tasks will write. */
  async add(family: Family, bytes: number): Promise<void> {
    if (bytes > 0) await this.redis.hincrby(this.keys.owed, family, bytes);
  }

  /** Forgets what is owed by a family that has nothing left to do; true when there was something. */
  async forgetIfIdle(family: Family): Promise<boolean> {
    const places = ['wait', 'paused', 'active', 'prioritized', 'delayed', 'waiting-children'];
    const keys = [this.keys.owed, ...places.map((place) => this.keys.bull(family, place))];
    return (await forgetOwed.run(this.redis, keys, [family])) === 1;
  }
}

/** All that is owed, from the hash as Redis gave it. */
export function totalOwed(fields: Readonly<Record<string, string>>): number {
  return families.reduce((sum, family) => sum + Math.max(0, Number(fields[family] ?? 0)), 0);
}

/** What a job was counted with; nothing for one that came past our door. */
export function owedOf(opts: object): number {
  const owed: unknown = 'owed' in opts ? opts.owed : 0;
  return typeof owed === 'number' && Number.isSafeInteger(owed) && owed > 0 ? owed : 0;
}
