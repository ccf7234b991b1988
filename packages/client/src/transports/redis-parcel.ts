import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { PreparedTask } from '../enqueue.ts';
import { anonymous } from '../idempotency.ts';
import type { Mill } from '../mill.ts';
import type { Parcel, SendOutcome, Submission } from '../transport.ts';

type Producing = Pick<Mill, 'enqueuer' | 'idempotency'>;

/** Tasks for Redis. Each has its id before it is sent, and BullMQ adds an id once: so it may be sent again. */
export function redisParcel(mill: Producing, tasks: readonly Submission[], idempotencyKey: string | undefined): Parcel {
  const [task] = tasks;
  if (tasks.length === 1 && task !== undefined) return new SingleTask(mill, task, idempotencyKey);
  return new ManyTasks(mill, tasks);
}

/** One task, in one command; with a key under the id that the key stands for. */
class SingleTask implements Parcel {
  private readonly mill: Producing;
  private readonly task: Submission;
  private readonly key: string | undefined;
  private readonly prepared: PreparedTask | MillraceError;

  constructor(mill: Producing, task: Submission, key: string | undefined) {
    this.mill = mill;
    this.task = task;
    this.key = key;
    this.prepared = prepare(mill, task);
  }

  async send(): Promise<readonly SendOutcome[]> {
    const { mill, prepared, task, key } = this;
    if (prepared instanceof MillraceError) return [{ error: prepared }];
    if (key === undefined) {
      await mill.enqueuer.add(prepared);
      return [{ id: prepared.id }];
    }
    const named = { caller: anonymous, key };
    const claim = await mill.idempotency.claim(prepared, named, task);
    if (!claim.known) await mill.enqueuer.add(claim.prepared);
    await mill.idempotency.confirm(claim.prepared, named);
    return [{ id: claim.prepared.id }];
  }
}

/** Many tasks, in few round trips. */
class ManyTasks implements Parcel {
  private readonly mill: Producing;
  private readonly prepared: readonly (PreparedTask | MillraceError)[];
  private readonly accepted = new Set<string>();

  constructor(mill: Producing, tasks: readonly Submission[]) {
    this.mill = mill;
    this.prepared = tasks.map((task) => prepare(mill, task));
  }

  async send(): Promise<readonly SendOutcome[]> {
    const open = this.prepared.filter(
      (entry): entry is PreparedTask => 'task' in entry && !this.accepted.has(entry.id),
    );
    const failures = await this.mill.enqueuer.addPrepared(open);
    return this.prepared.map((entry): SendOutcome => {
      if (entry instanceof MillraceError) return { error: entry };
      const error = failures.get(entry.id);
      if (error !== undefined) return { error };
      this.accepted.add(entry.id);
      return { id: entry.id };
    });
  }
}

function prepare({ enqueuer }: Producing, task: Submission): PreparedTask | MillraceError {
  try {
    return enqueuer.prepare(task);
  } catch (error) {
    return toMillraceError(error);
  }
}
