import type { CrashFacts } from '@millrace/shared/redis/call-records';
import type { HeldTask, TaskEnd } from './held-task.ts';
import { poisonCrashes } from './isolation.ts';

/** The end of a task that somebody cancelled. */
export const cancelled: TaskEnd = { kind: 'failed', code: 'CANCELLED', message: 'It was cancelled.', items: [] };

/** The end of an attempt that has no turn with this worker. */
export const returned: TaskEnd = { kind: 'returned' };

/** The end of a task whose time to start was over before it began. */
export const expired: TaskEnd = { kind: 'failed', code: 'EXPIRED', message: 'It was not started in time.', items: [] };

/** The end of a task that need not be computed at all; undefined for all others. */
export function earlyEnd(task: HeldTask, past: CrashFacts | undefined, isCancelled: boolean): TaskEnd | undefined {
  const { expiresAt, pulledAt } = task.params;
  if (isCancelled) return cancelled;
  if (expiresAt !== undefined && pulledAt >= expiresAt) return expired;
  return past !== undefined && past.crashes >= poisonCrashes ? poisoned(task, past) : undefined;
}

/** The end of a task that has killed too many workers. */
function poisoned(task: HeldTask, { crashes, item }: CrashFacts): TaskEnd {
  const where = item !== null && task.items.length > 1 ? `item ${item}: ` : '';
  const message = `${where}${crashes} workers died while they computed this input alone.`;
  return { kind: 'failed', code: 'POISONED', message, items: item === null ? [] : [{ index: item, code: 'POISONED' }] };
}
