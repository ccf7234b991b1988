import { MillraceError } from '@millrace/shared/errors';
import type { Room } from '@millrace/shared/redis/room';
import type { ParsedTask } from '@millrace/shared/tasks/parse';
import type { Family } from '@millrace/shared/tasks/task';

/**
 * Of the room that a look finds, one process lets in so much before it looks again: as many processes together cannot overshoot,
 * although they do not know of each other.
 */
const shareOfRoom = 1 / 8;
/** What a waiting task takes beside its input: its record, its places in the queue and in our lists. Measured: 1.3 kB. */
const waitingTaskBytes = 1400;
/** What a webhook takes beside its URL, which is noted before the end and queued after it. Measured: 1.7 kB. */
const webhookBytes = 1700;
/** Redis rounds the memory of long texts up, by an eighth on average. */
const roundedUp = 1.125;
/** Retry-After: something is done within a second as a rule; memory takes a sweep. ms. */
const retryAfterMs = { tasks: 1000, memory: 2000 } as const;

interface LookFacts {
  /** When Redis was asked, in ms of the gate's clock. */
  readonly at: number;
  readonly room: Room;
  readonly waiting: ReadonlyMap<Family, number>;
  readonly maxWaiting: number;
}

/** What one task takes. */
export interface Load {
  readonly family: Family;
  /** All in all, and of that what it writes later, in bytes. */
  readonly bytes: number;
  readonly owed: number;
}

/** What was let in. */
export class Tally {
  readonly tasks = new Map<Family, number>();
  readonly owed = new Map<Family, number>();
  bytes = 0;

  add({ family, bytes, owed }: Load): void {
    this.tasks.set(family, (this.tasks.get(family) ?? 0) + 1);
    this.owed.set(family, (this.owed.get(family) ?? 0) + owed);
    this.bytes += bytes;
  }
}

/** How Redis stood at a moment, and what was let in on the strength of it. */
export class Look {
  private readonly facts: LookFacts;
  private readonly tally = new Tally();
  private readonly waiting: Map<Family, number>;
  private taken: number;

  constructor(facts: LookFacts) {
    this.facts = facts;
    this.waiting = new Map(facts.waiting);
    this.taken = facts.room.taken;
  }

  get at(): number {
    return this.facts.at;
  }

  /** Adds what Redis could not know of. */
  include({ tasks, bytes }: Tally): void {
    for (const [family, count] of tasks) this.waiting.set(family, (this.waiting.get(family) ?? 0) + count);
    this.taken += bytes;
  }

  /** Whether so much was let in that it is time to look again. */
  isUsedUp(family: Family): boolean {
    const tasks = this.tally.tasks.get(family) ?? 0;
    const freeTasks = this.facts.maxWaiting - (this.waiting.get(family) ?? 0);
    const freeBytes = this.facts.room.highWater - this.taken;
    const { bytes } = this.tally;
    return (tasks > 0 && tasks > shareOfRoom * freeTasks) || (bytes > 0 && bytes > shareOfRoom * freeBytes);
  }

  /** Counts a task in, or says why there is no room for it. */
  letIn(load: Load): MillraceError | undefined {
    const { room, maxWaiting } = this.facts;
    const waits = (this.waiting.get(load.family) ?? 0) + (this.tally.tasks.get(load.family) ?? 0);
    if (waits >= maxWaiting) return tooMany(load.family, waits);
    const taken = this.taken + this.tally.bytes;
    if (taken + load.bytes > room.highWater) return tooFull(room, taken, load.bytes);
    this.tally.add(load);
    return undefined;
  }
}

export function loadOf(family: Family, task: ParsedTask): Load {
  const owed = owedByTask(task);
  return { family, owed, bytes: Math.ceil(waitingTaskBytes + task.inputBytes * roundedUp) + owed };
}

function tooMany(family: Family, waits: number): MillraceError {
  const detail = `${waits} tasks of the family ${family} wait already (MAX_WAITING).`;
  return new MillraceError('QUEUE_FULL', detail, { retryAfterMs: retryAfterMs.tasks });
}

function tooFull({ highWater }: Room, taken: number, bytes: number): MillraceError {
  const detail = `Redis holds or will hold ${mib(taken)} of ${mib(highWater)} MiB (REDIS_HIGH_WATER); the task takes ${mib(bytes)}.`;
  return new MillraceError('QUEUE_FULL', detail, { retryAfterMs: retryAfterMs.memory });
}

/** What a task will still write until it has ended, in bytes. */
export function owedByTask({ taskType, input, inputBytes, options: { webhook } }: ParsedTask): number {
  const told = webhook === undefined ? 0 : webhookBytes + 2 * webhook.url.length;
  return Math.ceil((taskType.resultBytes(input, inputBytes) + told) * roundedUp);
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
