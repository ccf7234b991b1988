import { toMillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import type { CrashFacts } from '@millrace/shared/redis/call-records';
import type { Redis } from '@millrace/shared/redis/connection';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import { type Door, type ParsedJob, parseJob } from '@millrace/shared/tasks/parse';
import type { Family } from '@millrace/shared/tasks/task';
import { traceFactsOf } from '@millrace/shared/tracing';
import type { Job, Worker } from 'bullmq';
import type { Batcher } from './batch/batcher.ts';
import { lockMs, openBullWorker } from './bull-worker.ts';
import { heldFromJob } from './held-from-job.ts';
import type { IndexWriter } from './index-writer.ts';
import type { Prepared } from './preparing.ts';
import type { Dispatcher } from './process/dispatcher.ts';
import { cancelled, earlyEnd, returned } from './process/early-ends.ts';
import type { HeldTask, TaskEnd } from './process/held-task.ts';
import type { QueuedItem } from './process/queued-item.ts';
import { ProgressReporter } from './progress.ts';
import type { ReturnSummary } from './settle.ts';
import type { Preparing, Settling } from './tracing/task-traces.ts';
import { UrgentFetch } from './urgent.ts';
import type { WebhookNotes } from './webhook-notes.ts';

/**
 * Jobs that may be fetched before BullMQ calls the processor for the first of them: it fetches as long as there are slots, and
 * only the processor's call makes it renew a lock and see an end.
 */
const unclaimedAtOnce = 32;
/** Tasks that a worker holds at most, whatever room the window has. */
const mostHeld = 1024;
/** What these may take, inputs and results, in bytes: tasks whose items are all under way for others fill no window. */
const mostHeldBytes = 64 * 2 ** 20;

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
  /** BullMQ's key of the jobs that wait by priority. */
  readonly prioritizedKey: string;
  readonly workerId: string;
  readonly door: Door;
  readonly batcher: Batcher<QueuedItem>;
  readonly dispatcher: Pick<Dispatcher, 'submit' | 'drain' | 'windowFull'>;
  readonly settler: Settling;
  readonly index: IndexWriter;
  readonly webhooks: WebhookNotes;
  readonly preparer: Preparing;
  readonly window: () => WindowLimits;
  readonly log: Logger;
  /** Whether somebody has asked to cancel a task. */
  readonly isCancelled: (ref: TaskRef) => boolean;
  /** What dead workers left behind about a task. */
  readonly judge: (ref: TaskRef) => Promise<CrashFacts>;
}

/** The task of a held job: none while its past is looked up, and for a job that is no task. */
interface Slot {
  task: HeldTask | undefined;
}

interface Held {
  readonly job: Job;
  readonly slot: Slot;
  readonly settled: Promise<ReturnSummary>;
}

/**
 * Pulls tasks of one family out of its queue and holds them until they are settled. BullMQ's slots are the prefetch limit: their
 * number follows the window, so that a worker pulls while the batcher wants more, counted in items, not tasks.
 */
export class Puller {
  private readonly params: PullerParams;
  private worker: Worker<unknown, ReturnSummary>;
  private readonly held = new Map<string, Held>();
  private readonly progress: ProgressReporter;
  private readonly urgent: UrgentFetch<ReturnSummary>;
  /** Held jobs that BullMQ has not called the processor for. */
  private unclaimed = 0;
  private heldBytes = 0;
  private draining = false;
  private emptied: () => void = () => {};
  /** When a job was fetched last, in ms. */
  lastFetchAt = 0;

  constructor(params: PullerParams) {
    this.params = params;
    this.progress = new ProgressReporter(params.log);
    this.worker = this.createWorker();
    this.urgent = new UrgentFetch({
      redis: params.redis,
      prioritizedKey: params.prioritizedKey,
      worker: () => this.worker,
      workerId: params.workerId,
      lockMs,
      waiting: () => (this.draining ? undefined : params.batcher.mostUrgentPriority),
      process: (job) => this.process(job),
      log: params.log,
    });
  }

  /** Starts to pull; the lanes must be warm. */
  start(): void {
    this.updateWindow();
    void this.worker.run().catch((error: Error) => this.onError(error));
  }

  /** Opens the fetching anew; what the old one has fetched is ended by it. */
  async reopen(): Promise<void> {
    const old = this.worker;
    this.worker = this.createWorker();
    this.start();
    await old.close();
  }

  /** Whether it would take more tasks now. */
  get hasRoom(): boolean {
    return !this.draining && this.room() > 0;
  }

  /** Ends tasks that it holds because somebody cancelled them; what is being computed of them is dropped. */
  cancel(jobIds: ReadonlySet<string>): void {
    for (const { job, slot } of this.held.values()) if (jobIds.has(job.id ?? '')) slot.task?.end(cancelled);
  }

  /** The tasks that it holds. */
  get tasks(): HeldTask[] {
    return [...this.held.values()].flatMap(({ slot }) =>
      slot.task === undefined || slot.task.isEnded ? [] : [slot.task],
    );
  }

  /** Sets BullMQ's slots to what the window has room for; called whenever the batcher has changed. */
  updateWindow(): void {
    const room = this.room();
    this.params.dispatcher.windowFull = room === 0;
    const more = Math.min(room, unclaimedAtOnce - this.unclaimed, mostHeld - this.held.size);
    // With no room a task that ends is not replaced; every fetch comes through here, so big tasks cannot overshoot.
    this.worker.concurrency = Math.max(1, this.held.size + (room === 0 ? -1 : Math.max(0, more)));
  }

  /** What is more urgent than all that waits here is fetched, whether or not there is room. */
  lookForUrgent(): void {
    void this.urgent.look();
  }

  /**
   * Takes nothing new, gives back what waits, lets what computes end within `graceMs`, gives back the rest. BullMQ's own close
   * renews locks meanwhile, and returns when nothing is held.
   */
  async close(graceMs: number): Promise<void> {
    this.draining = true;
    const closed = this.worker.close();
    for (const task of this.params.dispatcher.drain()) task.end(returned);
    await this.untilEmpty(graceMs);
    for (const task of this.tasks) task.end(returned);
    await closed;
    this.urgent.close();
  }

  private room(): number {
    const { batcher } = this.params;
    const { items, cost } = this.params.window();
    return batcher.cost >= cost || this.heldBytes >= mostHeldBytes ? 0 : Math.max(0, items - batcher.size);
  }

  private createWorker(): Worker<unknown, ReturnSummary> {
    return openBullWorker({
      ...this.params,
      process: (job) => this.process(job),
      onFetch: (job) => this.accept(job),
      onError: (error) => this.onError(error),
    });
  }

  private accept(job: Job): void {
    if (this.held.has(heldKey(job))) return;
    // What a producer said of removal would trim other people's tasks too: a sweeper alone removes.
    job.opts.removeOnComplete = false;
    job.opts.removeOnFail = false;
    this.unclaimed += 1;
    this.lastFetchAt = Date.now();
    const slot: Slot = { task: undefined };
    const entry: Held = { job, slot, settled: this.take(job, slot) };
    entry.settled.catch(() => {}); // BullMQ's call of the processor, which may come later, gets it.
    this.held.set(heldKey(job), entry);
    this.updateWindow();
  }

  /** Brings a job to its end; the slot gets the task that it is, at once, or after its past was looked up. */
  private async take(job: Job, slot: Slot): Promise<ReturnSummary> {
    const { family, door, settler } = this.params;
    const ref: TaskRef = { family, jobId: job.id ?? '' };
    if (this.draining) return await settler.giveBack(job, family);
    const noted = this.params.webhooks.note(ref, job.data);
    // With nobody to be told a task enters the batcher in this very turn.
    if (noted !== undefined) await noted;
    let parsed: ParsedJob;
    try {
      parsed = parseJob(door, job.name, job.data);
    } catch (error) {
      const refusal = toMillraceError(error);
      const facts = { taskId: taskIdOf(ref), type: job.name, code: refusal.code, ...traceFactsOf(job.opts) };
      this.params.log.warn({ event: 'task.refused', ...facts }, refusal.message);
      return await settler.refuse(job, ref, refusal);
    }
    // Only a job that came back from a dead worker has a past.
    const past = job.stalledCounter > 0 ? await this.params.judge(ref) : undefined;
    const { preparer } = this.params;
    const ready: Prepared = preparer.concerns(parsed)
      ? await preparer.prepare(job, ref, parsed)
      : { parsed, children: [] };
    const task = heldFromJob(job, ref, { parsed: ready.parsed, suspect: past?.suspect ?? false });
    slot.task = task;
    this.heldBytes += task.bytes;
    const end = task.ended.then((ended) => this.settle(job, task, ended));
    if (ready.failure === undefined) this.begin(job, task, past);
    else task.end(ready.failure);
    const summary = await end;
    preparer.release(ready);
    return summary;
  }

  private begin(job: Job, task: HeldTask, past: CrashFacts | undefined): void {
    const early = this.draining ? returned : earlyEnd(task, past, this.params.isCancelled(task.params.ref));
    if (early !== undefined) {
      task.end(early);
      return;
    }
    if (past?.suspect) {
      const facts = { taskId: taskIdOf(task.params.ref), crashes: past.crashes };
      this.params.log.warn({ event: 'task.suspect', ...facts }, 'a worker died computing it: it runs alone');
    }
    this.params.index.note(task);
    this.params.dispatcher.submit(task);
    this.progress.follow(job, task);
  }

  private async settle(job: Job, task: HeldTask, end: TaskEnd): Promise<ReturnSummary> {
    const { log } = this.params;
    const { ref, taskType, attempt } = task.params;
    const facts = { taskId: taskIdOf(ref), type: taskType.type, attempt, calls: task.calls, ...traceFactsOf(job.opts) };
    if (end.kind === 'failed') log.warn({ event: 'task.failed', ...facts, code: end.code }, end.message);
    else log.debug({ event: `task.${end.kind}`, ...facts }, `task ${end.kind}`);
    return await this.params.settler.settle(job, task, end);
  }

  /** BullMQ's processor: the job was accepted when it was fetched; here its end is awaited. */
  private async process(job: Job): Promise<ReturnSummary> {
    this.accept(job);
    const entry = this.held.get(heldKey(job));
    if (entry === undefined) throw new Error(`job ${job.id} is not held`);
    this.unclaimed -= 1;
    this.updateWindow();
    try {
      return await entry.settled;
    } finally {
      this.held.delete(heldKey(job));
      this.heldBytes -= entry.slot.task?.bytes ?? 0;
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

/**
 * A job in one of its starts. A worker whose locks lapsed (it was stopped, or Redis was) may pull a job again that it still
 * holds from before: that is another start, with an outcome of its own, and the former comes to nothing.
 */
function heldKey({ id, attemptsStarted }: Job): string {
  return `${id}:${attemptsStarted}`;
}
