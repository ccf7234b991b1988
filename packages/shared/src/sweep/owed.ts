import type { Redis } from '../redis/connection.ts';
import type { Keys } from '../redis/keys.ts';
import { OwedBytes } from '../redis/owed.ts';
import { families } from '../tasks/task.ts';
import type { Duty } from './sweeper.ts';

/** Forgets what a family is said to owe when it has nothing left to do: a crash between two steps can leave some over. */
export function owedDuty(redis: Redis, keys: Keys): Duty {
  const owed = new OwedBytes(redis, keys);
  return {
    name: 'owed',
    everyMs: 10_000,
    run: async () => {
      const forgotten = await Promise.all(families.map((family) => owed.forgetIfIdle(family)));
      return forgotten.filter(Boolean).length;
    },
  };
}
