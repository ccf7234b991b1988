import { MillraceError } from '@millrace/shared/errors';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { OwedBytes } from '@millrace/shared/redis/owed';
import { type Room, roomOf } from '@millrace/shared/redis/room';
import type { ParsedTask } from '@millrace/shared/tasks/parse';
import { type Family, families } from '@millrace/shared/tasks/task';
import type { AdmissionBounds } from './admission-bounds.ts';

interface AdmissionParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly bounds: AdmissionBounds;
  /** ms of any clock that only goes forward. */
  readonly now: () => number;
}

/** A task that asks to be let in. */
interface Candidate {
  readonly family: Family;
  readonly task: ParsedTask;
}

/** How Redis stood at a moment. */
interface Facts {
  /** When it was asked, in ms of `now`. */
  readonly askedAt: number;
  readonly waiting: ReadonlyMap<Family, number>;
  readonly room: Room;
}

/** Facts are not used for longer; ms. */
const freshMs = 250;
/** From its admission until Redis counts it a task may take so long; a late one counts twice for a moment. ms. */
const underwayMs = 50;
/** What a waiting task takes beside its input: its record, its places in the queue and in our lists. Measured: 1.3 kB. */
const waitingTaskBytes = 1400;
/** Redis rounds the memory of long texts up, by an eighth on average. */
const roundedUp = 1.125;
/** Retry-After: something is done within a second as a rule; memory takes a sweep. ms. */
const retryAfterMs = { tasks: 1000, memory: 2000 } as const;
/** Where BullMQ keeps jobs that wait. */
const lists = ['wait', 'paused'] as const;
const sets = ['prioritized', 'delayed', 'waiting-children'] as const;

/**
 * Says whether there is room for more waiting tasks: their number by family, and the memory of Redis, of which what accepted
 * tasks will still write is taken already. Callers share one look at Redis for a quarter of a second; what is let in meanwhile is
 * added, so that a thousand at once cannot overshoot.
 */
export class AdmissionGate {
  private readonly params: AdmissionParams;
  private readonly owed: OwedBytes;
  private facts: Facts | undefined;
  private asking: Promise<Facts> | undefined;
  private readonly recent = new RecentlyLetIn();

  constructor(params: AdmissionParams) {
    this.params = params;
    this.owed = new OwedBytes(params.redis, params.keys);
  }

  /**
   * Lets tasks in or refuses them, one by one: undefined for those that are to be added now.
   * @throws MillraceError REDIS_UNAVAILABLE.
   */
  async admit(candidates: readonly Candidate[]): Promise<(MillraceError | undefined)[]> {
    const facts = await this.fresh();
    const owedBy = new Map<Family, number>();
    const refusals = candidates.map(({ family, task }) => {
      const owed = owedByTask(task);
      const bytes = Math.ceil(waitingTaskBytes + task.inputBytes * roundedUp) + owed;
      const refusal = this.judge(facts, family, bytes);
      if (refusal !== undefined) return refusal;
      this.recent.add({ at: this.params.now(), family, bytes });
      owedBy.set(family, (owedBy.get(family) ?? 0) + owed);
      return undefined;
    });
    // On its way before the tasks are, on the same connection. If Redis refuses it, it will refuse them too.
    for (const [family, bytes] of owedBy) void this.owed.add(family, bytes).catch(() => {});
    return refusals;
  }

  private judge({ waiting, room }: Facts, family: Family, bytes: number): MillraceError | undefined {
    const { maxWaiting } = this.params.bounds;
    const waits = (waiting.get(family) ?? 0) + this.recent.tasks(family);
    if (waits >= maxWaiting) {
      const detail = `${waits} tasks of the family ${family} wait already (MAX_WAITING).`;
      return new MillraceError('QUEUE_FULL', detail, { retryAfterMs: retryAfterMs.tasks });
    }
    const taken = room.taken + this.recent.bytes;
    if (taken + bytes <= room.highWater) return undefined;
    const detail = `Redis holds or will hold ${mib(taken)} of ${mib(room.highWater)} MiB (REDIS_HIGH_WATER); the task takes ${mib(bytes)}.`;
    return new MillraceError('QUEUE_FULL', detail, { retryAfterMs: retryAfterMs.memory });
  }

  /** Facts that are fresh enough; all that need them at once share one look. */
  private async fresh(): Promise<Facts> {
    if (this.facts !== undefined && this.params.now() - this.facts.askedAt < freshMs) return this.facts;
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    return await this.asking;
  }

  private async ask(): Promise<Facts> {
    const { redis, keys, bounds, now } = this.params;
    const askedAt = now();
    const look = redis.pipeline().info('memory').hgetall(keys.owed);
    for (const family of families) {
      for (const part of lists) look.llen(keys.bull(family, part));
      for (const part of sets) look.zcard(keys.bull(family, part));
    }
    const [info, owed, ...counts] = await withRedis(async () => {
      const replies = (await look.exec()) ?? [];
      for (const [error] of replies) if (error !== null) throw error;
      return replies.map(([, value]) => value);
    });
    const room = roomOf(info as string, owed as Record<string, string>, bounds.highWater);
    this.recent.forgetBefore(askedAt - underwayMs);
    this.facts = { askedAt, room, waiting: waitingByFamily(counts as number[]) };
    return this.facts;
  }
}

/** What was let in at one moment. */
interface LetIn {
  readonly at: number;
  readonly family: Family;
  readonly bytes: number;
}

/** What this process let in and Redis may not count yet. */
class RecentlyLetIn {
  private entries: LetIn[] = [];
  private byFamily = new Map<Family, number>();
  bytes = 0;

  tasks(family: Family): number {
    return this.byFamily.get(family) ?? 0;
  }

  add(entry: LetIn): void {
    this.entries.push(entry);
    this.bytes += entry.bytes;
    this.byFamily.set(entry.family, this.tasks(entry.family) + 1);
  }

  forgetBefore(at: number): void {
    const late = this.entries.filter((entry) => entry.at >= at);
    this.entries = [];
    this.byFamily = new Map();
    this.bytes = 0;
    for (const entry of late) this.add(entry);
  }
}

function waitingByFamily(counts: readonly number[]): Map<Family, number> {
  const parts = lists.length + sets.length;
  return new Map(
    families.map((family, index) => {
      const own = counts.slice(index * parts, (index + 1) * parts);
      return [family, own.reduce((sum, count) => sum + count, 0)];
    }),
  );
}

/** What a task will still write until it has ended, in bytes. */
export function owedByTask({ taskType, input, inputBytes }: ParsedTask): number {
  return Math.ceil(taskType.resultBytes(input, inputBytes) * roundedUp);
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
