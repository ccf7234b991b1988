import type { Family } from '../tasks/task.ts';
import { type Redis, withRedis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** A job that failed for good, was cancelled or expired. */
export interface FailedJob {
  readonly jobId: string;
  readonly name: string;
  /** As BullMQ has it: `CODE: message`, cut to 300 bytes. */
  readonly reason: string;
  /** In ms since 1970. */
  readonly at: number;
}

/** The newest failed jobs of a family. */
export interface NewestFailed {
  /** The same as long as nothing has changed. */
  readonly mark: string;
  /** How many there are in all. */
  readonly all: number;
  /** Newest first. */
  readonly jobs: readonly FailedJob[];
}

const newestFailed = new Script('newest-failed');
const reasonBytes = 300;

type Reply = [mark: string, all?: number, jobs?: [string, string, string, string][]];

/**
 * Up to `count` of the newest failed jobs of a family; `seen` itself, without reading any of them, when nothing has changed since.
 * @throws MillraceError REDIS_UNAVAILABLE.
 */
export async function readNewestFailed(
  { redis, keys }: { redis: Redis; keys: Keys },
  family: Family,
  { count, seen }: { count: number; seen: NewestFailed | undefined },
): Promise<NewestFailed> {
  const args = [keys.bull(family, ''), count, reasonBytes, seen?.mark ?? ''];
  const reply = await withRedis(() => newestFailed.run(redis, [keys.bull(family, 'failed')], args));
  const [mark, all, jobs] = reply as Reply;
  if (all === undefined || jobs === undefined) return seen ?? { mark, all: 0, jobs: [] };
  return { mark, all, jobs: jobs.map(([jobId, name, reason, at]) => ({ jobId, name, reason, at: Number(at) })) };
}
