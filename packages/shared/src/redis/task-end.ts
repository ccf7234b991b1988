import { parseFailedReason } from '../errors.ts';
import type { TaskState } from '../tasks/task.ts';
import type { TaskRecord } from './task-record.ts';

export type EndedState = Extract<TaskState, 'succeeded' | 'failed' | 'cancelled' | 'expired'>;

/** How a task ended; undefined when it has not. */
export function endedStateOf({ place, failedReason = '' }: TaskRecord): EndedState | undefined {
  if (place === 'completed') return 'succeeded';
  if (place !== 'failed') return undefined;
  const { code } = parseFailedReason(failedReason);
  if (code === 'CANCELLED') return 'cancelled';
  return code === 'EXPIRED' ? 'expired' : 'failed';
}
