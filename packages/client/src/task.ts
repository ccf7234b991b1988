import { isErrorCode, MillraceError } from '@millrace/shared/errors';
import { assembleOutput } from '@millrace/shared/redis/results';
import type { BuiltinType, OutputOf } from '@millrace/shared/tasks/catalog';
import type { TaskView } from '@millrace/shared/tasks/task';
import { endsWithin, type WaitBound } from './ends-within.ts';
import type { TaskSignal } from './family-events.ts';
import type { Mill } from './mill.ts';
import { refOfTask } from './task-ref.ts';

/** How long `result` waits unless told otherwise, in ms. */
const defaultTimeoutMs = 60_000;

/** A task that was enqueued. */
export class Task<T extends BuiltinType> {
  readonly id: string;
  readonly type: T;
  private readonly mill: Mill;

  constructor(mill: Mill, id: string, type: T) {
    this.mill = mill;
    this.id = id;
    this.type = type;
  }

  /** The task as it stands. @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE. */
  async read(): Promise<TaskView> {
    return await this.mill.reader.view(this.id);
  }

  /**
   * Ends it, whether it waits or runs; the answer may still say `running` when the worker takes longer than 2 s to stop.
   * @throws MillraceError TASK_ENDED, TASK_NOT_FOUND, TASK_HAS_PARENT, REDIS_UNAVAILABLE.
   */
  async cancel(): Promise<TaskView> {
    return await this.mill.steering.cancel(this.id);
  }

  /**
   * Waits for the end and gives the output, vectors as `Float32Array[]`. A signal that is aborted ends the wait, not the task.
   * @throws MillraceError with the code of the task's own failure (such as POISONED or CANCELLED), or WAIT_TIMEOUT (the task
   * goes on), RESULT_EXPIRED, TASK_NOT_FOUND, REDIS_UNAVAILABLE, CLOSED.
   */
  async result({ timeoutMs = defaultTimeoutMs, signal }: Partial<WaitBound> = {}): Promise<OutputOf<T>> {
    const { ended, told } = await awaitEnd(this.mill, this.id, { timeoutMs, signal });
    if (!ended) throw new MillraceError('WAIT_TIMEOUT', `Task ${this.id} had not ended after ${timeoutMs} ms.`);
    const output = told?.kind === 'completed' ? await this.mill.reader.outputOf(told.data) : undefined;
    // What the worker stored is the output of this very type.
    if (output !== undefined) return assembleOutput(output) as OutputOf<T>;
    const { view, result } = await this.mill.reader.viewWithResult(this.id);
    if (view.error !== undefined && view.state !== 'succeeded') throw failureOf(view.error);
    if (result === undefined)
      throw new MillraceError('RESULT_EXPIRED', `The result of task ${this.id} is no longer kept.`);
    return assembleOutput(result) as OutputOf<T>;
  }
}

function failureOf({ code, message, problems = [] }: NonNullable<TaskView['error']>): MillraceError {
  return new MillraceError(isErrorCode(code) ? code : 'PROCESSOR_FAILED', message, { problems });
}

/** Waits until a task has ended: true, or false when it had not after so many ms. */
export async function waitForEnd(mill: Mill, id: string, bound: number | WaitBound): Promise<boolean> {
  return (await awaitEnd(mill, id, typeof bound === 'number' ? { timeoutMs: bound } : bound)).ended;
}

/** The same, with the event that told the end, if there was one. */
async function awaitEnd(
  mill: Mill,
  id: string,
  bound: WaitBound,
): Promise<{ ended: boolean; told?: TaskSignal | undefined }> {
  const ref = refOfTask(id);
  const watch = await mill.waiting.watch(ref);
  try {
    // It may have ended before the watch began.
    if (await mill.reader.hasEnded(ref)) return { ended: true };
    return { ended: await endsWithin(watch, bound), told: watch.told() };
  } finally {
    watch.stop();
  }
}
