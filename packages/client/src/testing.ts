import type { ErrorCode, MillraceError } from '@millrace/shared/errors';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import type { TaskOptions, TaskState } from '@millrace/shared/tasks/task';
import { Millrace } from './client.ts';
import type { InputOf, OutputOf, OwnTypes, TypeName } from './known-types.ts';
import { MemoryTransport } from './testing/memory-transport.ts';
import { type Handlers, type TestContext, TestMill } from './testing/test-mill.ts';
import { endingError } from './testing/test-task.ts';

/** What computes tasks in place of workers: for each type a function of the input, whose output is checked as the type says. */
export type TestHandlers<Own extends OwnTypes> = {
  readonly [T in TypeName<Own>]?: (
    input: InputOf<Own, T>,
    context: TestContext,
  ) => OutputOf<Own, T> | Promise<OutputOf<Own, T>>;
};

export interface TestMillraceOptions<Own extends OwnTypes> {
  /**
   * Without one `inference.embed` gives vectors that are made of the words of a text alone, always the same; a task of any other type
   * fails and says which handler is missing.
   */
  readonly handlers?: TestHandlers<Own>;
  /** Task types of one's own. */
  readonly taskTypes?: Own;
}

/** A task that was enqueued. */
export interface EnqueuedTask {
  readonly id: string;
  readonly type: string;
  readonly input: unknown;
  readonly options: TaskOptions;
  readonly state: TaskState;
}

/** A client whose mill is in memory: no server, no Redis, no network. */
export class TestMillrace<const Own extends OwnTypes = readonly []> extends Millrace<Own> {
  readonly control: TestControl;
  private readonly mill: TestMill;

  constructor(mill: TestMill) {
    super({ transport: new MemoryTransport(mill) });
    this.mill = mill;
    this.control = new TestControl(mill);
  }

  /** Another client of the same mill, as another process would have it. */
  another(): TestMillrace<Own> {
    return new TestMillrace<Own>(this.mill);
  }
}

/**
 * A client for an app's unit tests: the class, types, checks and errors of the real one. Handlers are called in the next turn of
 * the event loop, the most urgent task first; what they throw is the failure of the task, tried again at once as often as
 * `attempts` says. `delayMs`, `expiresInMs` and `resultTtlMs` go by a clock that only `control.advance` moves.
 */
export function createTestMillrace<const Own extends OwnTypes = readonly []>({
  handlers = {},
  taskTypes,
}: TestMillraceOptions<Own> = {}): TestMillrace<Own> {
  const door = { catalog: createCatalog(taskTypes ?? []) };
  return new TestMillrace<Own>(new TestMill({ door, handlers: handlers as Handlers }));
}

/** What a test does to the mill behind a client, and sees of it. */
export class TestControl {
  private readonly mill: TestMill;

  constructor(mill: TestMill) {
    this.mill = mill;
  }

  /** All that was enqueued, oldest first. */
  get tasks(): EnqueuedTask[] {
    return this.mill.tasks.map(({ id, state, parsed: { taskType, input, options } }) => {
      return { id, type: taskType.type, input, options, state };
    });
  }

  /** Lets no task of a type begin until `release`: they stay queued. (`pause` and `resume` of the client do so for a family.) */
  hold(type: string): void {
    this.mill.held.add(type);
  }

  release(type: string): void {
    this.mill.held.delete(type);
    this.mill.stir();
  }

  /** Ends a task that waits or runs, with this output. @throws MillraceError TASK_NOT_FOUND. */
  succeed(id: string, output: Record<string, unknown>): void {
    this.mill.end(this.mill.find(id), { state: 'succeeded', output });
  }

  /** Ends a task that waits or runs, with this error; it is not tried again. @throws MillraceError TASK_NOT_FOUND. */
  fail(id: string, error: MillraceError | ErrorCode): void {
    this.mill.end(this.mill.find(id), { state: 'failed', error: endingError(error) });
  }

  /** Has the next computations of a type fail, `times` in all, before handlers are asked again. */
  failNext(type: string, error: MillraceError | ErrorCode, times = 1): void {
    const failures = this.mill.failures.get(type) ?? [];
    this.mill.failures.set(type, [...failures, ...new Array<MillraceError>(times).fill(endingError(error))]);
  }

  /** Lets time pass for tasks: due ones begin, late ones expire, old results are gone. Resolves when all is done that can be. */
  async advance(ms: number): Promise<void> {
    this.mill.advance(ms);
    await this.idle();
  }

  /** Resolves when nothing runs, nor could begin. */
  async idle(): Promise<void> {
    await this.mill.idle();
  }

  /** true: every call is answered REDIS_UNAVAILABLE. */
  set away(isAway: boolean) {
    this.mill.isAway = isAway;
  }

  /** true: every task is refused with QUEUE_FULL. */
  set full(isFull: boolean) {
    this.mill.isFull = isFull;
  }
}
