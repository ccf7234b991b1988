import { isErrorCode, MillraceError } from '@millrace/shared/errors';
import type { TaskView } from '@millrace/shared/tasks/task';

/** Why there is no output of a task, whose result is not there: its own failure, or that the result is gone. */
export function noOutputOf({ id, state, error }: TaskView): MillraceError {
  if (error !== undefined && state !== 'succeeded') return failureOf(error);
  return new MillraceError('RESULT_EXPIRED', `The result of task ${id} is no longer kept.`);
}

/** The wait was over before the task. */
export function waitTimeout(id: string, timeoutMs: number): MillraceError {
  return new MillraceError('WAIT_TIMEOUT', `Task ${id} had not ended after ${timeoutMs} ms.`);
}

function failureOf({ code, message, problems = [], items = [] }: NonNullable<TaskView['error']>): MillraceError {
  const known = items.flatMap((item) => (isErrorCode(item.code) ? [{ index: item.index, code: item.code }] : []));
  return new MillraceError(isErrorCode(code) ? code : 'PROCESSOR_FAILED', message, { problems, items: known });
}
