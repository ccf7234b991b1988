import { toMillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import type { Redis } from '@millrace/shared/redis/connection';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import { type Door, type ParsedJob, parseJob } from '@millrace/shared/tasks/parse';
import { type Family, taskDefaults } from '@millrace/shared/tasks/task';
import { type Job, Worker } from 'bullmq';
import type { Batcher } from './batch/batcher.ts';
import type { Dispatcher } from './process/dispatcher.ts';
import { HeldTask, type TaskEnd } from './process/held-task.ts';
import type { QueuedItem } from './process/isolation.ts';
import { ProgressReporter } from './progress.ts';
import type { ReturnSummary, Settler } from './settle.ts';

/** A dead worker's tasks are back with others within lock + stalled check, 17 s at the most; ms. */
const lockMs = 12_000;
const stalledCheckMs = 5000;
/** A stall is nobody's fault and must not fail a task; crashes are counted elsewhere. */
const stallsAllowed = 1000;
/** Seconds that a fetch blocks on an empty queue. */
const drainDelaySeconds = 5;
/**
 * Jobs that may be fetched before BullMQ calls the processor for the first of them: it fetches as long as there are slots, and
 * only the processor's call makes it renew a lock and see an end.
 */
const unclaimedAtOnce = 32;
/** Tasks that a worker holds at most, whatever room the window has. */
const mostHeld = 1024;

/** How much is pulled ahead: the window in which the batcher puts like sizes together. */
export interface WindowLimits {
  readonly items: number;
  /** In the unit of the items' cost. */
  readonly cost: number;
}

interface PullerParams {
  readonly family: Family;
  readonly redis: Redis;
  readonly prefix: string;
  readonly workerId: string;
  readonly door: Door;
  readonly batcher: Batcher<QueuedItem>;
  readonly dispatcher: Dispatcher;
  readonly settler: Settler;
  readonly window: WindowLimits;
  readonly log: Logger;
}

/**
 * Pulls tasks of one family out of its queue and holds them until they are settled. BullMQ's slots are the prefetch limit: their
 * number follows the window, so that a worker pulls while the batcher wants more, counted in items, not tasks.
 */
export class Puller {
  private readonly params: PullerParams;
  private readonly worker: Worker<unknown, ReturnSummary>;
  private readonly held = new Map<string, { job: Job; task: HeldTask | undefined; settled: Promise<ReturnSummary> }>();
  private readonly progress: ProgressReporter;
  /** Held jobs that BullMQ has not called the processor for. */
  private unclaimed = 0;
  private draining = false;
  private emptied: () => void = () => {};

  constructor(params: PullerParams) {
    this.params = params;
    this.progress = new ProgressReporter(params.log);
    this.worker = new Worker<unknown, ReturnSummary>(params.family, (job) => this.process(job), {
      connection: params.redis,
      prefix: params.prefix,
      name: params.workerId,
      autorun: false,
      concurrency: 1,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: stallsAllowed,
      drainDelay: drainDelaySeconds,
      skipVersionCheck: true,
    });
    // Fired as soon as a job is fetched, before BullMQ calls the processor: the window is kept up with every fetch.
    this.worker.on('active', (job) => this.accept(job));
    this.worker.on('error', (error) => this.onError(error));
  }

  /** Starts to pull; the lanes must be warm. */
  start(): void {
    this.updateWindow();
    void this.worker.run().catch((error: Error) => this.onError(error));
  }

  /** The tasks that it holds. */
  get tasks(): HeldTask[] {
    return [...this.held.values()].flatMap(({ task }) => (task === undefined || task.isEnded ? [] : [task]));
  }

  /** Sets BullMQ's slots to what the window has room for; called whenever the batcher has changed. */
  updateWindow(): void {
    const { batcher, dispatcher, window } = this.params;
    const room = batcher.cost >= window.cost ? 0 : Math.max(0, window.items - batcher.size);
    dispatcher.windowFull = room === 0;
    const more = Math.min(room, unclaimedAtOnce - this.unclaimed, mostHeld - this.held.size);
    // With no room a task that ends is not replaced; every fetch comes through here, so big tasks cannot overshoot.
    this.worker.concurrency = Math.max(1, this.held.size + (room === 0 ? -1 : Math.max(0, more)));
  }

  /**
   * Takes nothing new, gives back what waits, lets what computes end within `graceMs`, gives back the rest. BullMQ's own close
   * renews locks meanwhile, and returns when nothing is held.
   */
  async close(graceMs: number): Promise<void> {
    this.draining = true;
    const closed = this.worker.close();
    for (const task of this.params.dispatcher.drain()) task.end({ kind: 'returned' });
    await this.untilEmpty(graceMs);
    for (const task of this.tasks) task.end({ kind: 'returned' });
    await closed;
  }

  private accept(job: Job): void {
    if (job.id === undefined || this.held.has(job.id)) return;
    // What a producer said of removal would trim other people's tasks too: a sweeper alone removes.
    job.opts.removeOnComplete = false;
    job.opts.removeOnFail = false;
    this.unclaimed += 1;
    const entry = { job, ...this.hold(job) };
    entry.settled.catch(() => {}); // BullMQ's call of the processor, which may come later, gets it.
    this.held.set(job.id, entry);
    this.updateWindow();
  }

  /** Parses a job and, if it is a task, sends it on its way. */
  private hold(job: Job): { task: HeldTask | undefined; settled: Promise<ReturnSummary> } {
    const { family, door, settler, dispatcher } = this.params;
    const ref: TaskRef = { family, jobId: job.id ?? '' };
    if (this.draining) return { task: undefined, settled: settler.giveBack(job, family) };
    let parsed: ParsedJob;
    try {
      parsed = parseJob(door, job.name, job.data);
    } catch (error) {
      const refusal = toMillraceError(error);
      this.params.log.warn(
        { event: 'task.refused', taskId: taskIdOf(ref), type: job.name, code: refusal.code },
        refusal.message,
      );
      return { task: undefined, settled: settler.refuse(job, ref, refusal) };
    }
    const task = createHeldTask(job, ref, parsed);
    const settled = task.ended.then((end) => this.settle(job, task, end));
    if (isExpired(task))
      task.end({ kind: 'failed', code: 'EXPIRED', message: 'It was not started in time.', items: [] });
    else dispatcher.submit(task);
    this.progress.follow(job, task);
    return { task, settled };
  }

  private async settle(job: Job, task: HeldTask, end: TaskEnd): Promise<ReturnSummary> {
    const { log } = this.params;
    const { ref, taskType, attempt } = task.params;
    const facts = { taskId: taskIdOf(ref), type: taskType.type, attempt, calls: task.calls };
    if (end.kind === 'failed') log.warn({ event: 'task.failed', ...facts, code: end.code }, end.message);
    else log.debug({ event: `task.${end.kind}`, ...facts }, `task ${end.kind}`);
    return await this.params.settler.settle(job, task, end);
  }

  /** BullMQ's processor: the job was accepted when it was fetched; here its end is awaited. */
  private async process(job: Job): Promise<ReturnSummary> {
    const id = job.id ?? '';
    this.accept(job);
    const entry = this.held.get(id);
    if (entry === undefined) throw new Error(`job ${id} is not held`);
    this.unclaimed -= 1;
    this.updateWindow();
    try {
      return await entry.settled;
    } finally {
      this.held.delete(id);
      this.updateWindow();
      if (this.held.size === 0) this.emptied();
    }
  }

  private async untilEmpty(graceMs: number): Promise<void> {
    if (this.held.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** While Redis is away BullMQ reports thousands of errors a second: the connection itself says so once. */
  private onError(error: Error): void {
    const lost = error.message.includes('Missing lock') || error.message.includes('is not owned');
    const level = lost ? 'warn' : 'debug';
    this.params.log[level](
      { event: lost ? 'task.lost' : 'worker.error', family: this.params.family, error: error.message },
      error.message,
    );
  }
}

function createHeldTask(job: Job, ref: TaskRef, { taskType, input, data }: ParsedJob): HeldTask {
  return new HeldTask({
    ref,
    taskType,
    input,
    attempt: job.attemptsMade + 1,
    startedAttempts: job.attemptsStarted,
    // A bare producer may give none; it counts as normal.
    priority: job.priority || taskDefaults.priority,
    createdAt: job.timestamp + (job.opts.delay ?? 0),
    timeoutMs: data.timeoutMs ?? taskDefaults.timeoutMs,
    expiresAt: data.expiresAt,
    resultTtlMs: data.resultTtlMs ?? taskDefaults.resultTtlMs,
    tags: data.tags ?? [],
    pulledAt: Date.now(),
  });
}

function isExpired({ params }: HeldTask): boolean {
  return params.expiresAt !== undefined && params.pulledAt >= params.expiresAt;
}
