import type { CrashFacts } from '@millrace/shared/redis/call-records';
import type { HeldTask, TaskEnd } from './held-task.ts';

/** The end of a task that somebody cancelled. */
export const cancelled: TaskEnd = { kind: 'failed', code: 'CANCELLED', message: 'It was cancelled.', items: [] };

/** The end of a task whose time to start was over before it began. */
export const expired: TaskEnd = { kind: 'failed', code: 'EXPIRED', message: 'It was not started in time.', items: [] };

/** The end of a task that has killed too many workers. */
export function poisoned(task: HeldTask, { crashes, item }: CrashFacts): TaskEnd {
  const where = item !== null && task.items.length > 1 ? `item ${item}: ` : '';
  const message = `${where}${crashes} workers died while they computed this input alone.`;
  return { kind: 'failed', code: 'POISONED', message, items: item === null ? [] : [{ index: item, code: 'POISONED' }] };
}
