import type { Family } from '../tasks/task.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';

/** A task as the lists know it; times in ms since 1970. */
export interface IndexEntry {
  readonly jobId: string;
  readonly createdAt: number;
  readonly tags: readonly string[];
  /** When it expires unless it has begun. */
  readonly expiresAt: number | undefined;
}

/** A place in a list: the tasks behind it are older, or as old and of a smaller id. */
export interface IndexPosition {
  readonly createdAt: number;
  readonly jobId: string;
}

/** Longer than any result is kept (30 days) and its task remembered (7 more); s. Removal is exact, this is the net below it. */
const tagTtlSeconds = 40 * 24 * 3600;

/**
 * The lists of tasks, by family and by tag. They only point: a task whose job is gone may stand in them for a while. What is
 * there stays as it was, so every process that meets a task may add it, as often as it likes.
 */
export class TaskIndex {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Adds tasks of one family, in one round trip. */
  async add(family: Family, entries: readonly IndexEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { keys } = this;
    const write = this.redis.pipeline();
    write.zadd(keys.tasks(family), 'NX', ...entries.flatMap(scored));
    for (const [tag, tagged] of byTag(entries)) {
      const key = keys.tagged(family, tag);
      write.zadd(key, 'NX', ...tagged.flatMap(scored)).expire(key, tagTtlSeconds);
    }
    const tags = entries.flatMap((entry) => (entry.tags.length > 0 ? [entry.jobId, JSON.stringify(entry.tags)] : []));
    if (tags.length > 0) write.hset(keys.tagsOf(family), ...tags);
    const expiring = entries.flatMap(({ expiresAt, jobId }) => (expiresAt === undefined ? [] : [expiresAt, jobId]));
    if (expiring.length > 0) write.zadd(keys.expiring(family), 'NX', ...expiring);
    for (const [error] of (await write.exec()) ?? []) if (error !== null) throw error;
  }

  /** Removes tasks from every list. */
  async remove(family: Family, jobIds: readonly string[]): Promise<void> {
    if (jobIds.length === 0) return;
    const { keys } = this;
    const tags = await this.tagsOf(family, jobIds);
    const write = this.redis.pipeline();
    write.zrem(keys.tasks(family), ...jobIds).zrem(keys.expiring(family), ...jobIds);
    jobIds.forEach((jobId, index) => {
      for (const tag of tags[index] ?? []) write.zrem(keys.tagged(family, tag), jobId);
    });
    write.hdel(keys.tagsOf(family), ...jobIds);
    for (const [error] of (await write.exec()) ?? []) if (error !== null) throw error;
  }

  /** The tags of tasks, in order. */
  async tagsOf(family: Family, jobIds: readonly string[]): Promise<string[][]> {
    if (jobIds.length === 0) return [];
    const values = await this.redis.hmget(this.keys.tagsOf(family), ...jobIds);
    return values.map((value) => (value === null ? [] : (JSON.parse(value) as string[])));
  }

  /** Up to `count` tasks of a family, with a tag if one is given, newest first, behind a position. */
  async behind(
    { family, tag }: { family: Family; tag: string | undefined },
    position: IndexPosition | undefined,
    count: number,
  ): Promise<IndexPosition[]> {
    const key = tag === undefined ? this.keys.tasks(family) : this.keys.tagged(family, tag);
    const newest = position === undefined ? '+inf' : position.createdAt;
    const behind: IndexPosition[] = [];
    // Of the tasks of the position's own ms some are before it.
    for (let skip = 0; ; skip += count) {
      const flat = await this.redis.zrevrangebyscore(key, newest, '-inf', 'WITHSCORES', 'LIMIT', skip, count);
      const found = pairs(flat);
      behind.push(...found.filter((entry) => position === undefined || isBehind(entry, position)));
      if (behind.length >= count || found.length < count) return behind.slice(0, count);
    }
  }
}

/** Newest first, and of one ms the greater id first, as Redis has them from the end. */
export function isBehind(entry: IndexPosition, position: IndexPosition): boolean {
  if (entry.createdAt !== position.createdAt) return entry.createdAt < position.createdAt;
  return Buffer.compare(Buffer.from(entry.jobId), Buffer.from(position.jobId)) < 0;
}

function pairs(flat: readonly string[]): IndexPosition[] {
  return Array.from({ length: flat.length / 2 }, (_, index) => ({
    jobId: flat[index * 2] ?? '',
    createdAt: Number(flat[index * 2 + 1]),
  }));
}

function scored({ createdAt, jobId }: IndexEntry): [number, string] {
  return [createdAt, jobId];
}

function byTag(entries: readonly IndexEntry[]): Map<string, IndexEntry[]> {
  const groups = new Map<string, IndexEntry[]>();
  for (const entry of entries) {
    for (const tag of new Set(entry.tags)) {
      const group = groups.get(tag) ?? [];
      group.push(entry);
      groups.set(tag, group);
    }
  }
  return groups;
}
