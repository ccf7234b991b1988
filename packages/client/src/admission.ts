import { setImmediate as nextTurn } from 'node:timers/promises';
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

/** Facts are not used for longer; ms. */
const freshMs = 250;
/**
 * Of the room that a look finds, one process lets in so much before it looks again: as many processes together cannot overshoot,
 * although they do not know of each other.
 */
const shareOfRoom = 1 / 8;
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
 * tasks will still write is taken already. Callers share one look at Redis for a quarter of a second at most; what is let in on
 * its strength is added to it, so that thousands at once cannot overshoot.
 */
export class AdmissionGate {
  private readonly params: AdmissionParams;
  private readonly owed: OwedBytes;
  private look: Look | undefined;
  private looking: Promise<Look> | undefined;

  constructor(params: AdmissionParams) {
    this.params = params;
    this.owed = new OwedBytes(params.redis, params.keys);
  }

  /**
   * Lets tasks in or refuses them, one by one: undefined for those that are to be added, in this very turn of the event loop.
   * @throws MillraceError REDIS_UNAVAILABLE.
   */
  async admit(candidates: readonly Candidate[]): Promise<(MillraceError | undefined)[]> {
    const owedBy = new Map<Family, number>();
    const refusals: (MillraceError | undefined)[] = [];
    for (const { family, task } of candidates) {
      const owed = owedByTask(task);
      const bytes = Math.ceil(waitingTaskBytes + task.inputBytes * roundedUp) + owed;
      let look = this.look;
      while (look === undefined || this.isSpent(look, family)) look = await this.lookAnew();
      const refusal = look.letIn(family, bytes);
      if (refusal === undefined) owedBy.set(family, (owedBy.get(family) ?? 0) + owed);
      refusals.push(refusal);
    }
    // On its way before the tasks are, on the same connection. If Redis refuses it, it will refuse them too.
    for (const [family, bytes] of owedBy) void this.owed.add(family, bytes).catch(() => {});
    return refusals;
  }

  private isSpent(look: Look, family: Family): boolean {
    return this.params.now() - look.at >= freshMs || look.isUsedUp(family);
  }

  /** All that need a new look at once share it. */
  private async lookAnew(): Promise<Look> {
    this.looking ??= this.ask().finally(() => {
      this.looking = undefined;
    });
    this.look = undefined;
    return await this.looking;
  }

  private async ask(): Promise<Look> {
    const { redis, keys, bounds, now } = this.params;
    // What was let in so far is on its way in the next turn, before this look on the same connection: Redis counts it.
    await nextTurn();
    const at = now();
    const questions = redis.pipeline().info('memory').hgetall(keys.owed);
    for (const family of families) {
      for (const part of lists) questions.llen(keys.bull(family, part));
      for (const part of sets) questions.zcard(keys.bull(family, part));
    }
    const [info, owed, ...counts] = await withRedis(async () => {
      const replies = (await questions.exec()) ?? [];
      for (const [error] of replies) if (error !== null) throw error;
      return replies.map(([, value]) => value);
    });
    const room = roomOf(info as string, owed as Record<string, string>, bounds.highWater);
    this.look = new Look({ at, room, waiting: waitingByFamily(counts as number[]), maxWaiting: bounds.maxWaiting });
    return this.look;
  }
}

interface LookFacts {
  /** When Redis was asked, in ms of the gate's clock. */
  readonly at: number;
  readonly room: Room;
  readonly waiting: ReadonlyMap<Family, number>;
  readonly maxWaiting: number;
}

/** How Redis stood at a moment, and what was let in on the strength of it. */
class Look {
  private readonly facts: LookFacts;
  private readonly tasks = new Map<Family, number>();
  private bytes = 0;

  constructor(facts: LookFacts) {
    this.facts = facts;
  }

  get at(): number {
    return this.facts.at;
  }

  /** Whether so much was let in that it is time to look again. */
  isUsedUp(family: Family): boolean {
    const { room, waiting, maxWaiting } = this.facts;
    const tasks = this.tasks.get(family) ?? 0;
    const free = maxWaiting - (waiting.get(family) ?? 0);
    return (
      (this.bytes > shareOfRoom * (room.highWater - room.taken) && this.bytes > 0) ||
      (tasks > shareOfRoom * free && tasks > 0)
    );
  }

  /** Counts a task in, or says why there is no room for it. */
  letIn(family: Family, bytes: number): MillraceError | undefined {
    const { room, waiting, maxWaiting } = this.facts;
    const tasks = this.tasks.get(family) ?? 0;
    const waits = (waiting.get(family) ?? 0) + tasks;
    if (waits >= maxWaiting) return tooMany(family, waits);
    const taken = room.taken + this.bytes;
    if (taken + bytes > room.highWater) return tooFull(room, taken, bytes);
    this.tasks.set(family, tasks + 1);
    this.bytes += bytes;
    return undefined;
  }
}

function tooMany(family: Family, waits: number): MillraceError {
  const detail = `${waits} tasks of the family ${family} wait already (MAX_WAITING).`;
  return new MillraceError('QUEUE_FULL', detail, { retryAfterMs: retryAfterMs.tasks });
}

function tooFull({ highWater }: Room, taken: number, bytes: number): MillraceError {
  const detail = `Redis holds or will hold ${mib(taken)} of ${mib(highWater)} MiB (REDIS_HIGH_WATER); the task takes ${mib(bytes)}.`;
  return new MillraceError('QUEUE_FULL', detail, { retryAfterMs: retryAfterMs.memory });
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
