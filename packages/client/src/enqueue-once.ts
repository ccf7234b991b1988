import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { IdempotencyKey } from '@millrace/shared/redis/idempotency-keys';
import type { Enqueuer, PreparedTask } from './enqueue.ts';
import type { Idempotency } from './idempotency.ts';

/** A task as it came, and the key that it came with. */
export interface KeyedTask {
  readonly submitted: unknown;
  readonly key: IdempotencyKey | undefined;
}

interface Producing {
  readonly enqueuer: Enqueuer;
  readonly idempotency: Idempotency;
}

/** A task that has passed the door, under the id that its key stands for. */
interface Claimed {
  readonly prepared: PreparedTask;
  /** Redis has it already. */
  readonly known: boolean;
  readonly key: IdempotencyKey | undefined;
}

/** What became of one task of many; `known`: a request before had it accepted. */
export type OnceOutcome =
  | { readonly id: string; readonly type: string; readonly known: boolean }
  | { readonly error: MillraceError };

/**
 * Checks and adds many; one outcome per task, in order. A bad one does not keep the others out, and what came before with the same key
 * gives the task that it gave then.
 */
export async function enqueueOnce(
  { enqueuer, idempotency }: Producing,
  tasks: readonly KeyedTask[],
): Promise<OnceOutcome[]> {
  const claims = await Promise.all(tasks.map((task) => claim({ enqueuer, idempotency }, task)));
  const claimed = claims.filter((entry): entry is Claimed => !(entry instanceof MillraceError));
  const failures = await enqueuer.addPrepared(claimed.filter(({ known }) => !known).map(({ prepared }) => prepared));
  await Promise.all(
    claimed.map(async ({ prepared, key }) => {
      if (key !== undefined && !failures.has(prepared.id)) await idempotency.confirm(prepared, key);
    }),
  );
  return claims.map((entry): OnceOutcome => {
    if (entry instanceof MillraceError) return { error: entry };
    const { known } = entry;
    const { id, task } = entry.prepared;
    const error = failures.get(id);
    return error === undefined ? { id, type: task.taskType.type, known } : { error };
  });
}

async function claim(
  { enqueuer, idempotency }: Producing,
  { submitted, key }: KeyedTask,
): Promise<Claimed | MillraceError> {
  try {
    const prepared = enqueuer.prepare(submitted);
    if (key === undefined) return { prepared, known: false, key };
    return { ...(await idempotency.claim(prepared, key, submitted)), key };
  } catch (error) {
    return toMillraceError(error);
  }
}
