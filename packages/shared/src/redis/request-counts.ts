import type { Redis } from './connection.ts';
import { Script } from './script.ts';

/** The requests of a caller in the present window. */
export interface RequestCount {
  readonly current: number;
  /** ms until it counts anew. */
  readonly ttl: number;
}

// Whoever is at its limit of memory must still be able to refuse.
const count = new Script('count-request', { beyondLimit: true });

/** Counts one more request. Rejects as ioredis does while Redis is away. */
export async function countRequest(redis: Redis, key: string, windowMs: number): Promise<RequestCount> {
  const [current, ttl] = (await count.run(redis, [key], [windowMs])) as [number, number];
  return { current, ttl };
}
