import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MillraceError } from '@millrace/shared/errors';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import { isForbidden } from '@millrace/shared/redis/info';
import type { Keys } from '@millrace/shared/redis/keys';
import { OwedBytes } from '@millrace/shared/redis/owed';
import { roomOf } from '@millrace/shared/redis/room';
import type { ParsedTask } from '@millrace/shared/tasks/parse';
import { type Family, families } from '@millrace/shared/tasks/task';
import type { AdmissionBounds } from './admission-bounds.ts';
import { Look, loadOf, Tally } from './admission-look.ts';

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

/** A look is good for so long; ms. */
const freshMs = 250;
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
  /** What calls of `admit` that are not done yet have let in: none of it is on its way. */
  private readonly unsent = new Set<Tally>();

  constructor(params: AdmissionParams) {
    this.params = params;
    this.owed = new OwedBytes(params.redis, params.keys);
  }

  /**
   * Lets tasks in or refuses them, one by one: undefined for those that are to be added, in this very turn of the event loop.
   * @throws MillraceError REDIS_UNAVAILABLE.
   */
  async admit(candidates: readonly Candidate[]): Promise<(MillraceError | undefined)[]> {
    const own = new Tally();
    this.unsent.add(own);
    try {
      const refusals: (MillraceError | undefined)[] = [];
      for (const candidate of candidates) refusals.push(await this.admitOne(candidate, own));
      // On its way before the tasks are, on the same connection. If Redis refuses it, it will refuse them too.
      for (const [family, bytes] of own.owed) void this.owed.add(family, bytes).catch(() => {});
      return refusals;
    } finally {
      this.unsent.delete(own);
    }
  }

  private async admitOne({ family, task }: Candidate, own: Tally): Promise<MillraceError | undefined> {
    const load = loadOf(family, task);
    // One that was waited for is taken however long it took: a slow Redis must not be asked for ever.
    let look = this.isFresh ? this.look : undefined;
    while (look === undefined || look.isUsedUp(family)) look = await this.lookAnew();
    const refusal = look.letIn(load);
    if (refusal === undefined) own.add(load);
    return refusal;
  }

  private get isFresh(): boolean {
    return this.look !== undefined && this.params.now() - this.look.at < freshMs;
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
    // What `admit` has answered is on its way by the next turn, ahead of this look on the same connection: Redis counts it.
    await nextTurn();
    const at = now();
    const unsent = [...this.unsent];
    const questions = redis.pipeline().info('memory').hgetall(keys.owed);
    for (const family of families) {
      for (const part of lists) questions.llen(keys.bull(family, part));
      for (const part of sets) questions.zcard(keys.bull(family, part));
    }
    const [info, owed, ...counts] = await withRedis(async () => {
      const replies = (await questions.exec()) ?? [];
      // Where INFO is forbidden the bound on bytes is not kept, but the one on tasks.
      return replies.map(([error, value], index) => {
        if (error === null) return value;
        if (index === 0 && isForbidden(error)) return '';
        throw error;
      });
    });
    const room = roomOf(info as string, owed as Record<string, string>, bounds.highWater);
    const look = new Look({ at, room, waiting: waitingByFamily(counts as number[]), maxWaiting: bounds.maxWaiting });
    for (const tally of unsent) look.include(tally);
    this.look = look;
    return look;
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
