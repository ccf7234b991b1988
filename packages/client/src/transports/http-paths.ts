import { MillraceError } from '@millrace/shared/errors';
import { refOfTask } from '../task-ref.ts';

/** @throws MillraceError TASK_NOT_FOUND. */
export function taskPath(id: string): string {
  // What can be no id is not asked for: it could be another address.
  refOfTask(id);
  return `/v1/tasks/${encodeURIComponent(id)}`;
}

/** @throws MillraceError INVALID_REQUEST. */
export function collectionPath(name: string): string {
  return `/v1/collections/${segment(name)}`;
}

/** @throws MillraceError INVALID_REQUEST. */
export function schedulePath(name: string): string {
  return `/v1/schedules/${segment(name)}`;
}

/** A name as a part of an address, which some names would change. */
function segment(name: string): string {
  if (!['', '.', '..'].includes(name)) return encodeURIComponent(name);
  const problem = { path: 'name', got: JSON.stringify(name), expected: 'a name', remedy: 'Change it to a name.' };
  throw new MillraceError('INVALID_REQUEST', `name: got ${problem.got}, expected a name.`, { problems: [problem] });
}
