import type { Redis } from './connection.ts';

/** Which members of a sorted set. */
interface Page {
  /** The last one that was seen; undefined for the beginning. */
  readonly after: string | undefined;
  /** From the highest score down. */
  readonly newestFirst: boolean;
  readonly count: number;
}

/** Up to `count` members of a sorted set behind a member, by its place at that moment; undefined when it is not there. */
export async function pageBehind(
  redis: Redis,
  key: string,
  { after, newestFirst, count }: Page,
): Promise<string[] | undefined> {
  let start = 0;
  if (after !== undefined) {
    const place = newestFirst ? await redis.zrevrank(key, after) : await redis.zrank(key, after);
    if (place === null) return undefined;
    start = place + 1;
  }
  const end = start + count - 1;
  return newestFirst
    ? await redis.zrevrange(key, start, end)
    : await redis.zrange(key, start.toString(), end.toString());
}
