import { v7 as uuidv7, validate } from 'uuid';
import { type Family, families } from './task.ts';

/** The first letter of an id names the queue, so that one look-up finds the task. */
const letters = { t: 'text', i: 'inference', v: 'vector' } as const satisfies Record<string, Family>;

/** A new task id: `<family letter>-<uuidv7>`; ids made later sort later, which keeps arrival order. */
export function newTaskId(family: Family): string {
  return `${family[0]}-${uuidv7()}`;
}

/** A task in its queue: the family, and the id of its BullMQ job. */
export interface TaskRef {
  readonly family: Family;
  readonly jobId: string;
}

/**
 * Finds the queue and the job of a task id. Our own ids are the job's id; a job that a bare BullMQ producer added reads as
 * `<family>.<jobId>`. Undefined for anything else.
 */
export function parseTaskId(id: string): TaskRef | undefined {
  const letter = id[0] ?? '';
  if (id[1] === '-' && Object.hasOwn(letters, letter) && validate(id.slice(2))) {
    return { family: letters[letter as keyof typeof letters], jobId: id };
  }
  const dot = id.indexOf('.');
  const family = families.find((name) => name === id.slice(0, dot));
  const jobId = id.slice(dot + 1);
  // A job id never has these, and they would reach other keys of Redis.
  if (family === undefined || jobId === '' || jobId.length > 256 || /[{}\s]/.test(jobId)) return undefined;
  return { family, jobId };
}

/** The id under which a job is read as a task. */
export function taskIdOf({ family, jobId }: TaskRef): string {
  return parseTaskId(jobId)?.family === family && jobId[1] === '-' ? jobId : `${family}.${jobId}`;
}
