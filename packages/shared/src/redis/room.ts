import type { Redis } from './connection.ts';
import { readInfo } from './info.ts';
import type { Keys } from './keys.ts';
import { type HighWater, highWaterBytes, memoryOf } from './memory.ts';
import { totalOwed } from './owed.ts';

/** How full Redis is, in bytes, as admission counts: with what accepted tasks will still write. */
export interface Room {
  readonly taken: number;
  /** Where accepting ends; Infinity without a bound. */
  readonly highWater: number;
}

/** Reads the answers to INFO memory and HGETALL of what is owed. */
export function roomOf(info: string, owed: Readonly<Record<string, string>>, highWater: HighWater): Room {
  const { used, limit } = memoryOf(info);
  return { taken: used + totalOwed(owed), highWater: highWaterBytes(highWater, limit) };
}

/** Asks Redis how full it is. */
export async function readRoom(redis: Redis, keys: Keys, highWater: HighWater): Promise<Room> {
  const [info, owed] = await Promise.all([readInfo(redis, 'memory'), redis.hgetall(keys.owed)]);
  return roomOf(info, owed, highWater);
}
