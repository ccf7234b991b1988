import { MillraceError } from '@millrace/shared/errors';
import { type Door, parseTask } from '@millrace/shared/tasks/parse';
import { problemsOf } from '@millrace/shared/tasks/problems';
import type { Family } from '@millrace/shared/tasks/task';
import { taskNotFound } from '../task-ref.ts';
import type { Submission } from '../transport.ts';
import { fakeEmbedding } from './fake-embedding.ts';
import { TestCollections } from './test-collections.ts';
import type { TestRun } from './test-run.ts';
import { TestSchedules } from './test-schedules.ts';
import { type Ending, TestTask } from './test-task.ts';

/** What a handler is told beside the input. */
export interface TestContext {
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  /** Aborted when the task is cancelled. */
  readonly signal: AbortSignal;
  /** Reports how many items are done. */
  progress(done: number, total: number): void;
}

type Handler = (input: never, context: TestContext) => unknown;

/** What computes tasks in the test double, by their types; of any input. */
export type Handlers = Readonly<Record<string, Handler | undefined>>;

/** What each idempotency key stands for. */
type KeptKeys = Map<string, { readonly id: string; readonly submission: Submission }>;

interface TestMillParams {
  readonly door: Door;
  readonly handlers: Handlers;
}

/** When the clock of a double begins: always the same, so that nothing depends on the day. */
const beginning = Date.UTC(2030, 0, 1);

/**
 * A mill in memory: queues, and a worker that begins whatever may begin in the next turn of the event loop, the most urgent
 * first. Time passes only when it is told to.
 */
export class TestMill {
  readonly door: Door;
  readonly tasks: TestTask[] = [];
  readonly collections = new TestCollections();
  readonly schedules: TestSchedules;
  readonly keys: KeptKeys = new Map();
  /** Oldest first. */
  readonly runs: TestRun[] = [];
  /** Every call is answered as if Redis were away. */
  isAway = false;
  /** Every task is refused, as if there were no room. */
  isFull = false;
  readonly paused = new Set<Family>();
  readonly held = new Set<string>();
  /** What becomes of the next tasks of a type, in order. */
  readonly failures = new Map<string, MillraceError[]>();
  now = beginning;
  private readonly byId = new Map<string, TestTask>();
  private readonly handlers: Handlers;
  private running = 0;
  private isStirred = false;
  private readonly idlers = new Set<() => void>();

  constructor({ door, handlers }: TestMillParams) {
    this.door = door;
    this.schedules = new TestSchedules(door);
    this.handlers = { 'inference.embed': fakeEmbedding as Handler, ...handlers };
  }

  /** @throws MillraceError TASK_NOT_FOUND. */
  find(id: string): TestTask {
    const task = this.byId.get(id);
    if (task === undefined) throw taskNotFound(id);
    return task;
  }

  /** @throws MillraceError as a real mill does. */
  enqueue(submission: Submission): TestTask {
    const parsed = parseTask(this.door, submission);
    const use = parsed.taskType.collection(parsed.input);
    if (use !== undefined) this.collections.get(use.name);
    const number = String(this.tasks.length + 1).padStart(12, '0');
    const task = new TestTask(`${parsed.taskType.family[0]}-00000000-0000-7000-8000-${number}`, parsed, this.now);
    this.tasks.push(task);
    this.byId.set(task.id, task);
    this.stir();
    return task;
  }

  /** Something may begin that could not before. */
  stir(): void {
    if (this.isStirred) return;
    this.isStirred = true;
    setImmediate(() => {
      this.isStirred = false;
      this.beginAll();
      this.tellIdlers();
    });
  }

  /** Lets time pass: what is due may begin, and what was to begin before is too late. */
  advance(ms: number): void {
    this.now += ms;
    for (const task of this.tasks) {
      const waits = task.state === 'scheduled' || task.state === 'queued';
      if (waits && task.expiresAt <= this.now) this.end(task, { state: 'expired', error: tooLate() });
      else if (task.state === 'scheduled' && task.dueAt <= this.now) task.enter('queued', this.now);
    }
    this.stir();
  }

  end(task: TestTask, ending: Ending): void {
    task.end(ending, this.now);
  }

  /** Puts a task that ended without success back. */
  putBack(task: TestTask): void {
    task.ending = undefined;
    task.finishedAt = undefined;
    task.attempt = 0;
    if (task.expiresAt <= this.now) task.expiresAt = Number.POSITIVE_INFINITY;
    task.enter('queued', this.now);
    this.stir();
  }

  /** Resolves when nothing runs, nor could begin. */
  async idle(): Promise<void> {
    if (this.running === 0 && !this.isStirred) return;
    await new Promise<void>((resolve) => this.idlers.add(resolve));
  }

  /** Those that may begin, the most urgent first. */
  startable(): TestTask[] {
    const free = this.tasks.filter(
      ({ state, family, parsed }) =>
        state === 'queued' && !this.paused.has(family) && !this.held.has(parsed.taskType.type),
    );
    // Sorting is stable: equals stay in the order of arrival.
    return free.sort((a, b) => a.priority - b.priority);
  }

  private beginAll(): void {
    for (const task of this.startable()) void this.run(task);
  }

  private async run(task: TestTask): Promise<void> {
    this.running += 1;
    task.attempt += 1;
    task.startedAt = this.now;
    task.cancelling = new AbortController();
    task.enter('running', this.now);
    const attempt = task.attempt;
    try {
      const output = await this.compute(task, task.cancelling.signal);
      if (task.state === 'running' && task.attempt === attempt) this.end(task, { state: 'succeeded', output });
    } catch (error) {
      if (task.state === 'running' && task.attempt === attempt) this.settleFailure(task, failureOf(error));
    } finally {
      this.running -= 1;
      this.tellIdlers();
    }
  }

  private async compute(task: TestTask, signal: AbortSignal): Promise<Record<string, unknown>> {
    const { taskType, input } = task.parsed;
    const wanted = this.failures.get(taskType.type)?.shift();
    if (wanted !== undefined) throw wanted;
    const handler = this.handlers[taskType.type];
    if (handler === undefined) throw noHandler(taskType.type);
    const { id, attempt } = task;
    const context = { id, attempt, signal, progress: (done: number, total: number) => task.report(done, total) };
    const output = await handler(structuredClone(input) as never, context);
    const checked = taskType.output.safeParse(output);
    if (checked.error !== undefined)
      throw notPromised(taskType.type, problemsOf(checked.error.issues, output, 'output'));
    return structuredClone(output) as Record<string, unknown>;
  }

  /** Tries it again at once, as often as a real mill would after a while. */
  private settleFailure(task: TestTask, error: MillraceError): void {
    if (!error.retryable || task.attempt >= task.attempts) {
      this.end(task, { state: error.code === 'CANCELLED' ? 'cancelled' : 'failed', error });
      return;
    }
    task.enter('queued', this.now);
    this.stir();
  }

  private tellIdlers(): void {
    if (this.running > 0 || this.isStirred) return;
    for (const resolve of this.idlers) resolve();
    this.idlers.clear();
  }
}

function failureOf(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new MillraceError('PROCESSOR_FAILED', message, { cause: error });
}

/** Final: the test has to be mended. */
function noHandler(type: string): MillraceError {
  return new MillraceError(
    'UNSUPPORTED_TASK_TYPE',
    `The test double has no handler for ${type}: createTestMillrace({ handlers: { '${type}': (input) => … } }).`,
  );
}

function notPromised(type: string, problems: ReturnType<typeof problemsOf>): MillraceError {
  const [first] = problems;
  const what = `${first?.path}: got ${first?.got}, expected ${first?.expected}`;
  return new MillraceError('INVALID_INPUT', `The handler of ${type} gave what the type does not promise: ${what}.`, {
    problems,
  });
}

function tooLate(): MillraceError {
  return new MillraceError('EXPIRED', 'It did not begin in time.');
}
