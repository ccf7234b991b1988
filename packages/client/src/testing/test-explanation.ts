import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { TestMill } from './test-mill.ts';
import type { TestTask } from './test-task.ts';

/** Why a task of the test double is where it is. */
export function explainTestTask(mill: TestMill, task: TestTask): Explanation {
  const { id, type, state, attempt, attempts, timings, error } = task.view();
  const waiting = state === 'queued' ? mill.startable().filter((other) => other !== task) : [];
  const before = waiting.filter(({ priority }) => priority < task.priority).length;
  const beside = waiting.filter((other) => other.priority === task.priority);
  return {
    id,
    type,
    state,
    summary: summaryOf(mill, task),
    ahead:
      state === 'queued' ? { moreUrgent: before, samePriority: beside.filter((other) => other.id < id).length } : null,
    paused: mill.paused.has(task.family),
    workers: { family: 1, ofType: 1, withModel: null },
    model: task.parsed.taskType.model(task.parsed.input) ?? null,
    holder: state === 'running' ? { worker: 'test', host: null, since: null, batch: 'test' } : null,
    dueAt: state === 'scheduled' ? new Date(task.dueAt).toISOString() : null,
    waitsFor: [],
    attempt,
    attempts,
    started: attempt,
    stalls: 0,
    timings,
    ...(error === undefined ? {} : { error }),
  };
}

function summaryOf(mill: TestMill, task: TestTask): string {
  const { state, error } = task.view();
  if (error !== undefined) return `It is ${state}: ${error.code}: ${error.message}`;
  if (state === 'scheduled') return 'Its time has not come; control.advance lets time pass.';
  if (state !== 'queued') return `It is ${state}.`;
  if (mill.paused.has(task.family)) return `The family ${task.family} is paused.`;
  return mill.held.has(task.parsed.taskType.type) ? 'Its type is held; control.release lets it go.' : 'It is next.';
}
