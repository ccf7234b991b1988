import { parseInfo } from './info.ts';

/** Where accepting ends: a share of Redis' maxmemory, or bytes. */
export type HighWater = { readonly share: number } | { readonly bytes: number };

/** What Redis says of its memory, in bytes. */
interface MemoryFacts {
  readonly used: number;
  /** Its maxmemory; 0 when it has none. */
  readonly limit: number;
}

/** Reads the answer to INFO memory. */
export function memoryOf(info: string): MemoryFacts {
  const fields = parseInfo(info);
  return { used: Number(fields.get('used_memory') ?? 0), limit: Number(fields.get('maxmemory') ?? 0) };
}

/** The high-water mark in bytes; without a maxmemory a share is no bound. */
export function highWaterBytes(highWater: HighWater, limit: number): number {
  if ('bytes' in highWater) return highWater.bytes;
  return limit === 0 ? Number.POSITIVE_INFINITY : highWater.share * limit;
}
