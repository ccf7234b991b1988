import { nextCronTime } from '@millrace/shared/queues';
import type { Door } from '@millrace/shared/tasks/parse';
import type { ScheduleView } from '@millrace/shared/tasks/schedule';
import { priorityNumber, taskDefaults } from '@millrace/shared/tasks/task';
import { parseSchedule } from '../schedule-plan.ts';
import { scheduleNotFound } from '../schedules.ts';

/** The schedules of the test double: they are checked, kept and told, and never run by themselves. */
export class TestSchedules {
  private readonly views = new Map<string, ScheduleView>();
  private readonly door: Door;

  constructor(door: Door) {
    this.door = door;
  }

  put(name: string, submitted: unknown, now: number): ScheduleView {
    const { cron, everyMs, tz, task } = parseSchedule(this.door, name, submitted);
    const next = cron === undefined ? now + (everyMs ?? 0) : nextCronTime({ cron, tz }, now);
    const { priority, attempts, timeoutMs, resultTtlMs, tags = [] } = task.options;
    const view: ScheduleView = {
      name,
      family: task.taskType.family,
      cron: cron ?? null,
      everyMs: everyMs ?? null,
      tz: tz ?? null,
      nextRunAt: next === undefined ? null : new Date(next).toISOString(),
      nextTaskId: null,
      task: {
        type: task.taskType.type,
        input: task.input,
        priority: priorityNumber(priority),
        attempts: attempts ?? taskDefaults.attempts,
        timeoutMs: timeoutMs ?? taskDefaults.timeoutMs,
        resultTtlMs: resultTtlMs ?? taskDefaults.resultTtlMs,
        tags: [...tags],
      },
    };
    this.views.set(name, view);
    return view;
  }

  get(name: string): ScheduleView {
    const view = this.views.get(name);
    if (view === undefined) throw scheduleNotFound(name);
    return view;
  }

  list(): ScheduleView[] {
    const sorted = [...this.views.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return sorted.map(({ task: { input: _input, ...task }, ...view }) => ({ ...view, task }));
  }

  remove(name: string): void {
    if (!this.views.delete(name)) throw scheduleNotFound(name);
  }
}
