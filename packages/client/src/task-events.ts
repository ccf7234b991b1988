import { toMillraceError } from '@millrace/shared/errors';
import { withRedis } from '@millrace/shared/redis/connection';

import { endedStates, type TaskState, type TaskView } from '@millrace/shared/tasks/task';
import { newestEventId, type TaskSignal } from './family-events.ts';
import type { Mill } from './mill.ts';
import { refOfTask } from './task-ref.ts';

/** Something that happened to a task, for whoever follows it. */
export type TaskEvent =
  | { readonly kind: 'state'; readonly state: TaskState; readonly at: string }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'end'; readonly view: TaskView }
  /** Nothing happened for a while. */
  | { readonly kind: 'quiet' };

interface FollowOptions {
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** After so many ms without an event comes a `quiet`. */
  readonly quietMs: number;
}

/** What wakes a follower: something happened; it should look for itself; or it is over. */
type Wake = TaskSignal | 'look' | 'closed' | 'aborted' | 'quiet';

/**
 * Follows a task to its end: its state as it is and then each change, how far it is, and in the end all of it. Events that are
 * lost are made up for by looking: for the end every two seconds, for a change every ten.
 * Ends without `end` when it is aborted or the client closes.
 * @throws MillraceError TASK_NOT_FOUND, also when it is removed meanwhile; REDIS_UNAVAILABLE at the start.
 */
export async function* followTask(mill: Mill, id: string, options: FollowOptions): AsyncGenerator<TaskEvent> {
  const ref = refOfTask(id);
  const wakes = new Wakes(options);
  const listening = await mill.waiting.listen(ref, {
    onSignal: (signal) => wakes.add(signal),
    onLook: () => wakes.add('look'),
    onClose: () => wakes.add('closed'),
  });
  try {
    const follower = new Follower(mill, id, await withRedis(() => newestEventId({ ...mill, family: ref.family })));
    yield* follower.look(true);
    while (!follower.ended) {
      const wake = await wakes.next();
      if (wake === 'closed' || wake === 'aborted') return;
      if (wake === 'quiet') yield { kind: 'quiet' };
      else if (wake === 'look') yield* follower.look(false);
      else yield* follower.hear(wake);
    }
  } finally {
    listening.stop();
    wakes.stop();
  }
}

/** What one follower knows already, so that it says nothing twice. */
class Follower {
  private readonly mill: Mill;
  private readonly id: string;
  /** Events up to this one are part of what the first look saw. */
  private readonly from: string;
  private state: TaskState | undefined;
  private progress = '';
  ended = false;

  constructor(mill: Mill, id: string, from: string) {
    this.mill = mill;
    this.id = id;
    this.from = from;
  }

  /** What has changed since. While Redis is away nothing is known, unless it is the first look. */
  async *look(isFirst: boolean): AsyncGenerator<TaskEvent> {
    const seen = await this.known(() => this.mill.reader.glance(this.id), isFirst);
    if (seen === undefined) return;
    yield* this.stateChange(seen.state, seen.finishedAt ?? new Date().toISOString());
    yield* this.progressChange(seen.progress);
    if (!endedStates.includes(seen.state)) return;
    const view = await this.known(() => this.mill.reader.view(this.id), isFirst);
    // Tried again a moment after its end: that was not the end.
    if (view === undefined || !endedStates.includes(view.state)) return;
    this.ended = true;
    yield { kind: 'end', view };
  }

  async *hear({ kind, eventId, data }: TaskSignal): AsyncGenerator<TaskEvent> {
    if (!isLater(eventId, this.from)) return;
    const at = new Date(Number(eventId.split('-')[0])).toISOString();
    switch (kind) {
      case 'active':
        yield* this.stateChange('running', at);
        return;
      case 'waiting':
      case 'waiting-children':
        yield* this.stateChange('queued', at);
        return;
      case 'progress':
        yield* this.progressChange(data);
        return;
      // Scheduled or between two attempts; succeeded, failed, cancelled or expired: the record knows.
      case 'delayed':
      case 'completed':
      case 'failed':
      case 'removed':
        yield* this.look(false);
    }
  }

  private async known(read: () => Promise<TaskView>, isFirst: boolean): Promise<TaskView | undefined> {
    try {
      return await read();
    } catch (error) {
      if (isFirst || toMillraceError(error).code !== 'REDIS_UNAVAILABLE') throw error;
      return undefined;
    }
  }

  private *stateChange(state: TaskState, at: string): Generator<TaskEvent> {
    if (state === this.state) return;
    this.state = state;
    yield { kind: 'state', state, at };
  }

  private *progressChange(progress: unknown): Generator<TaskEvent> {
    if (typeof progress !== 'object' || progress === null || !('done' in progress) || !('total' in progress)) return;
    const { done, total } = progress;
    const text = `${done}/${total}`;
    if (text === this.progress) return;
    this.progress = text;
    yield { kind: 'progress', done: Number(done), total: Number(total) };
  }
}

/** What has come and was not yet taken; the taker waits here. */
class Wakes {
  private readonly waiting: Wake[] = [];
  private readonly options: FollowOptions;
  private wake: () => void = () => {};
  private readonly abort = () => this.add('aborted');

  constructor(options: FollowOptions) {
    this.options = options;
    if (options.signal.aborted) this.add('aborted');
    options.signal.addEventListener('abort', this.abort, { once: true });
  }

  add(wake: Wake): void {
    // One look is as good as many.
    if (wake === 'look' && this.waiting.includes('look')) return;
    this.waiting.push(wake);
    this.wake();
  }

  async next(): Promise<Wake> {
    if (this.waiting.length === 0) await this.untilWoken();
    return this.waiting.shift() ?? 'quiet';
  }

  stop(): void {
    this.options.signal.removeEventListener('abort', this.abort);
  }

  private async untilWoken(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.options.quietMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether an event of a stream came after another, by their places `<ms>-<n>`. */
function isLater(eventId: string, than: string): boolean {
  const [ms = 0, counter = 0] = eventId.split('-').map(Number);
  const [thanMs = 0, thanCounter = 0] = than.split('-').map(Number);
  return ms === thanMs ? counter > thanCounter : ms > thanMs;
}
