import { MillraceError } from '@millrace/shared/errors';
import { parseTaskId, type TaskRef } from '@millrace/shared/tasks/ids';

/** The queue and job of a task id. @throws MillraceError TASK_NOT_FOUND for a text that cannot be one. */
export function refOfTask(id: string): TaskRef {
  const ref = parseTaskId(id);
  if (ref === undefined) throw taskNotFound(id);
  return ref;
}

export function taskNotFound(id: string): MillraceError {
  return new MillraceError('TASK_NOT_FOUND', `There is no task ${JSON.stringify(id.slice(0, 80))}.`);
}
