import type { Redis } from './connection.ts';
import { Script } from './script.ts';

const takeLease = new Script('take-lease', { beyondLimit: true });

/**
 * Takes or keeps a lease: true while `holder` is the one that has it. It falls to another `ttlMs` after the last call.
 */
export async function holdLease(redis: Redis, key: string, lease: { holder: string; ttlMs: number }): Promise<boolean> {
  return (await takeLease.run(redis, [key], [lease.holder, lease.ttlMs])) === 1;
}

/** Gives a lease up, if it is ours, so that another need not wait for its end. */
export async function dropLease(redis: Redis, key: string, holder: string): Promise<void> {
  await takeLease.run(redis, [key], [holder, 0]);
}
