import type { KeyedTask } from '@millrace/client/enqueue-once';
import { MillraceError } from '@millrace/shared/errors';
import { describe } from '@millrace/shared/tasks/problems';

/** A task of a bulk request without the key that it may carry, and the key; or why the key is none. */
export function keyedTask(task: unknown, caller: string): KeyedTask | { readonly error: MillraceError } {
  if (typeof task !== 'object' || task === null || !('idempotencyKey' in task)) {
    return { submitted: task, key: undefined };
  }
  const { idempotencyKey: key, ...submitted } = task;
  if (typeof key === 'string') return { submitted, key: { caller, key } };
  const problem = { path: 'idempotencyKey', got: describe(key), expected: 'a string', remedy: 'Use a UUID.' };
  const detail = `idempotencyKey: got ${problem.got}, expected a string.`;
  return { error: new MillraceError('INVALID_REQUEST', detail, { problems: [problem] }) };
}
