import { createHash } from 'node:crypto';
import { MillraceError } from '@millrace/shared/errors';
import { withRedis } from '@millrace/shared/redis/connection';
import type { EndedTasks } from '@millrace/shared/redis/ended-tasks';
import type { IdempotencyKey, IdempotencyKeys, IdempotentTask } from '@millrace/shared/redis/idempotency-keys';
import type { TaskEnding } from '@millrace/shared/redis/task-record';
import { parseTaskId, type TaskRef } from '@millrace/shared/tasks/ids';
import type { PreparedTask } from './enqueue.ts';

interface IdempotencyParams {
  readonly keys: IdempotencyKeys;
  readonly ended: EndedTasks;
  /** Whether a task has ended, or is not there. */
  readonly ending: (ref: TaskRef) => Promise<TaskEnding>;
  readonly now: () => number;
}

/** What a key gave. */
export interface Claim {
  /** The task to add; under the id that the key stands for when it was claimed before. */
  readonly prepared: PreparedTask;
  /** Redis has the task already: there is nothing to add. */
  readonly known: boolean;
}

/** The caller where nobody has a name: an API without keys, an app that uses Redis itself. */
export const anonymous = 'anonymous';

/** As a header can carry it. */
const keyForm = /^[\x21-\x7e]{1,255}$/;
/** Each round replaces a task whose time was over the moment before. */
const roundsTried = 5;

/**
 * Lets a request be repeated without making a second task. The key is claimed for an id before the task is added, and BullMQ
 * adds an id once: so a repeat finds the task, or adds it under the same id when nobody knows whether it arrived.
 */
export class Idempotency {
  private readonly params: IdempotencyParams;

  constructor(params: IdempotencyParams) {
    this.params = params;
  }

  /**
   * Claims a key for a prepared task; `submitted` is the task as it came, which a repeat must equal.
   * @throws MillraceError INVALID_REQUEST, IDEMPOTENCY_MISMATCH, REDIS_UNAVAILABLE.
   */
  async claim(prepared: PreparedTask, key: IdempotencyKey, submitted: unknown): Promise<Claim> {
    checkKeyForm(key.key);
    const wanted = { id: prepared.id, bodyHash: hashOf(submitted) };
    let over: IdempotentTask | undefined;
    for (let round = 0; round < roundsTried; round += 1) {
      const held = await withRedis(() => this.params.keys.claim(key, wanted, over));
      if (held === undefined) return { prepared, known: false };
      const state = await this.look(held);
      if (state !== 'over' && held.bodyHash !== wanted.bodyHash) throw mismatch(key.key, held.id);
      if (state !== 'over') return { prepared: { ...prepared, id: held.id }, known: state === 'kept' };
      over = held;
    }
    throw new MillraceError('INTERNAL', `The Idempotency-Key ${key.key} changed hands ${roundsTried} times in a row.`);
  }

  /** Keeps the key as long as its task; when Redis goes away over it, the claim holds for a day. */
  async confirm({ id, family }: PreparedTask, key: IdempotencyKey): Promise<void> {
    await this.params.keys.confirm(key, { family, jobId: id }).catch(() => {});
  }

  private async look({ id }: IdempotentTask): Promise<'absent' | 'kept' | 'over'> {
    const ref = parseTaskId(id);
    if (ref === undefined) return 'over';
    const ending = await this.params.ending(ref);
    if (ending !== 'ended') return ending === 'gone' ? 'absent' : 'kept';
    const until = await withRedis(() => this.params.ended.keptUntil(ref));
    return until !== undefined && until <= this.params.now() ? 'over' : 'kept';
  }
}

/** @throws MillraceError INVALID_REQUEST. */
export function checkKeyForm(key: string): void {
  if (keyForm.test(key)) return;
  throw new MillraceError('INVALID_REQUEST', 'The Idempotency-Key is not of a form that a header can carry.', {
    problems: [
      {
        path: 'idempotency-key',
        got: `a text of ${key.length} characters`,
        expected: '1 to 255 printable ASCII characters without spaces',
        remedy: 'Use a UUID, made anew for each new task.',
      },
    ],
  });
}

function mismatch(key: string, id: string): MillraceError {
  return new MillraceError(
    'IDEMPOTENCY_MISMATCH',
    `The key ${key} came with another task before, which is ${id}; nothing was enqueued.`,
  );
}

/** The sha256 of a JSON value, the same in whatever order its fields were written. */
function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(value)))
    .digest('hex');
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, canonical(field)]),
  );
}
