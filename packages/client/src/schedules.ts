import { MillraceError } from '@millrace/shared/errors';
import { jobData, jobOptions, nextCronTime, type TaskQueue } from '@millrace/shared/queues';
import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import type { TaskIndex } from '@millrace/shared/redis/task-index';
import { readTaskRecord } from '@millrace/shared/redis/task-record';
import { taskIdOf } from '@millrace/shared/tasks/ids';
import type { Door } from '@millrace/shared/tasks/parse';
import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import { type Family, type JobData, taskDefaults } from '@millrace/shared/tasks/task';
import { parseSchedule, type SchedulePlan } from './schedule-plan.ts';
import type { WebhookCheck } from './webhook-check.ts';

interface SchedulesParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly door: Door;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly index: TaskIndex;
  readonly webhooks: WebhookCheck;
  readonly now: () => number;
}

type Scheduler = Awaited<ReturnType<TaskQueue['getJobSchedulers']>>[number];

/** BullMQ's code for a slot whose job is there already, such as a run that was cancelled before its time. */
const slotTaken = -10;
/** Such slots in a row that are stepped over. */
const slotsSkipped = 100;

/** Tasks that come again and again. BullMQ arms the next run when one is picked up, so runs never pile up. */
export class Schedules {
  private readonly params: SchedulesParams;

  constructor(params: SchedulesParams) {
    this.params = params;
  }

  /** Makes a schedule, or changes it: the run that is armed is replaced. @throws MillraceError as parseSchedule; REDIS_UNAVAILABLE. */
  async put(name: string, submitted: unknown): Promise<ScheduleView> {
    const plan = parseSchedule(this.params.door, name, submitted);
    const { family } = plan.task.taskType;
    const refusal = await this.params.webhooks.refusal(plan.task.options.webhook, 'task.webhook');
    if (refusal !== undefined) throw refusal;
    await withRedis(() => this.upsert(plan));
    // The name is one of all families: the type may have been of another before.
    const others = [...this.params.queues].filter(([other]) => other !== family);
    await withRedis(() => Promise.all(others.map(([, queue]) => queue.removeJobScheduler(name))));
    await withRedis(() => this.indexArmed(family));
    return await this.get(name);
  }

  /** @throws MillraceError SCHEDULE_NOT_FOUND, REDIS_UNAVAILABLE. */
  async get(name: string): Promise<ScheduleView> {
    for (const [family, queue] of this.params.queues) {
      const scheduler = await withRedis(() => queue.getJobScheduler(name));
      if (scheduler !== undefined) return viewOf(family, scheduler);
    }
    throw scheduleNotFound(name);
  }

  /** Every schedule by name, without the inputs of their tasks. @throws MillraceError REDIS_UNAVAILABLE. */
  async list(): Promise<ScheduleView[]> {
    const families = [...this.params.queues].map(async ([family, queue]) => {
      const schedulers = await withRedis(() => queue.getJobSchedulers());
      return schedulers.map((scheduler) => withoutInput(viewOf(family, scheduler)));
    });
    return (await Promise.all(families)).flat().sort((a, b) => a.name.localeCompare(b.name));
  }

  /**
   * Ends a schedule; a run that is due or has begun goes on.
   * @throws MillraceError SCHEDULE_NOT_FOUND, REDIS_UNAVAILABLE.
   */
  async remove(name: string): Promise<void> {
    const removals = [...this.params.queues.values()].map((queue) => withRedis(() => queue.removeJobScheduler(name)));
    if (!(await Promise.all(removals)).includes(true)) throw scheduleNotFound(name);
  }

  /** Puts the armed runs of a family into the index of tasks, where BullMQ, which makes them, does not. */
  async indexArmed(family: Family): Promise<void> {
    const { redis, keys, index } = this.params;
    const armed = await redis.zrange(keys.bull(family, 'repeat'), '0', '-1', 'WITHSCORES');
    const jobIds = Array.from({ length: armed.length / 2 }, (_, at) => armedJobId(armed[at * 2], armed[at * 2 + 1]));
    const known = await Promise.all(jobIds.map((jobId) => redis.zscore(keys.tasks(family), jobId)));
    for (const jobId of jobIds.filter((_, at) => known[at] === null)) {
      const record = await readTaskRecord(this.params, { family, jobId }, true);
      if (record === undefined) continue;
      const { tags = [] } = (record.data ?? {}) as Partial<JobData>;
      await index.add(family, [{ jobId, createdAt: record.createdAt, tags, expiresAt: undefined }]);
    }
  }

  private async upsert(plan: SchedulePlan): Promise<void> {
    const { cron, everyMs, tz, task, name } = plan;
    const { jobId: _jobId, delay: _delay, ...opts } = jobOptions('', task.options);
    const data = jobData(task.input, task.options, this.params.now());
    // Runs that were all in the trace of who made the schedule would be one trace without an end.
    const template = { name: task.taskType.type, data, opts: { ...opts, telemetry: { omitContext: true } } };
    const queue = this.queueOf(task.taskType.family);
    if (cron === undefined) {
      await queue.upsertJobScheduler(name, { every: everyMs ?? 0 }, template);
      return;
    }
    const repeat = { pattern: cron, ...(tz === undefined ? {} : { tz }) };
    let startDate = this.params.now();
    for (let skipped = 0; ; skipped += 1) {
      try {
        await queue.upsertJobScheduler(name, skipped === 0 ? repeat : { ...repeat, startDate }, template);
        return;
      } catch (error) {
        const next = isSlotTaken(error) ? nextCronTime({ cron, tz }, startDate) : undefined;
        if (next === undefined || skipped === slotsSkipped) throw error;
        startDate = next;
      }
    }
  }

  private queueOf(family: Family): TaskQueue {
    const queue = this.params.queues.get(family);
    if (queue === undefined) throw new MillraceError('INTERNAL', `no queue is open for the family ${family}`);
    return queue;
  }
}

function viewOf(family: Family, { key, name, pattern, every, tz, next, template }: Scheduler): ScheduleView {
  // Other programs make schedules too: what is not there reads as the default.
  const { input, timeoutMs, resultTtlMs, tags } = (template?.data ?? {}) as Partial<JobData>;
  return {
    name: key,
    family,
    cron: pattern ?? null,
    everyMs: every ?? null,
    tz: tz ?? null,
    nextRunAt: next === undefined ? null : new Date(next).toISOString(),
    nextTaskId: next === undefined ? null : taskIdOf({ family, jobId: armedJobId(key, String(next)) }),
    task: {
      type: name,
      input,
      priority: template?.opts?.priority ?? taskDefaults.priority,
      attempts: template?.opts?.attempts ?? 1,
      timeoutMs: timeoutMs ?? taskDefaults.timeoutMs,
      resultTtlMs: resultTtlMs ?? taskDefaults.resultTtlMs,
      tags: [...(tags ?? [])],
    },
  };
}

function withoutInput(view: ScheduleView): ScheduleView {
  const { input: _input, ...task } = view.task;
  return { ...view, task };
}

function armedJobId(name: string | undefined, next: string | undefined): string {
  return `repeat:${name}:${next}`;
}

function isSlotTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === slotTaken;
}

export function scheduleNotFound(name: string): MillraceError {
  return new MillraceError('SCHEDULE_NOT_FOUND', `There is no schedule ${JSON.stringify(name.slice(0, 80))}.`);
}
