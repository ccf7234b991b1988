import type { Explanation } from '@millrace/shared/tasks/explanation';
import type { TaskView } from '@millrace/shared/tasks/task';
import { defaultTimeoutMs, type WaitBound } from './ends-within.ts';
import type { CallOptions, FollowedEvent, Priority, Transport } from './transport.ts';

/** A task in a mill; `Output` is what its type gives. */
export class Task<T extends string = string, Output = unknown> {
  readonly id: string;
  readonly type: T;
  private readonly transport: Transport;

  constructor(transport: Transport, id: string, type: T) {
    this.transport = transport;
    this.id = id;
    this.type = type;
  }

  /**
   * Waits for the end and gives the output, vectors as `Float32Array[]`. A signal that is aborted ends the wait, not the task.
   * @throws MillraceError with the code of the task's own failure (such as POISONED or CANCELLED), or WAIT_TIMEOUT (the task
   * goes on), RESULT_EXPIRED, TASK_NOT_FOUND, REDIS_UNAVAILABLE, API_UNAVAILABLE, CLOSED.
   */
  result({ timeoutMs = defaultTimeoutMs, signal }: Partial<WaitBound> = {}): Promise<Output> {
    // What the worker stored is the output of this very type.
    return this.transport.result(this.id, { timeoutMs, signal }) as Promise<Output>;
  }

  /**
   * The task as soon as it has ended, however it did, or as it stands after `timeoutMs`: its state tells.
   * @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE, API_UNAVAILABLE, CLOSED.
   */
  wait({ timeoutMs = defaultTimeoutMs, signal }: Partial<WaitBound> = {}): Promise<TaskView> {
    return this.transport.wait(this.id, { timeoutMs, signal });
  }

  /** What happens to it, from its present state to its end; as `Millrace.follow`. */
  follow(options: CallOptions = {}): AsyncGenerator<FollowedEvent, void, undefined> {
    return this.transport.follow(this.id, options);
  }

  /** The task as it stands. @throws MillraceError as `Millrace.get`. */
  read(options: CallOptions = {}): Promise<TaskView> {
    return this.transport.get(this.id, options);
  }

  /** Why it is where it is, in words and facts. @throws MillraceError as `Millrace.explain`. */
  explain(options: CallOptions = {}): Promise<Explanation> {
    return this.transport.explain(this.id, options);
  }

  /** Ends it, whether it waits or runs. @throws MillraceError as `Millrace.cancel`. */
  cancel(options: CallOptions = {}): Promise<TaskView> {
    return this.transport.cancel(this.id, options);
  }

  /** Tries it again if it failed, expired or was cancelled. @throws MillraceError as `Millrace.retry`. */
  retry(options: CallOptions = {}): Promise<TaskView> {
    return this.transport.retry(this.id, options);
  }

  /** Moves it while it waits. @throws MillraceError as `Millrace.changePriority`. */
  changePriority(priority: Priority, options: CallOptions = {}): Promise<TaskView> {
    return this.transport.changePriority(this.id, priority, options);
  }
}
