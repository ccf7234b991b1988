import type { TaskOptions } from '@millrace/shared/tasks/task';
import type { CallOptions } from './transport.ts';

/**
 * How a task is enqueued. A signal that is aborted while the task is on its way ends the call: whether it was accepted is not known
 * then.
 */
export interface EnqueueOptions extends TaskOptions, CallOptions {
  /** While there is no room, wait for it so long instead of throwing QUEUE_FULL or RATE_LIMITED, in ms; default 0. */
  readonly waitForRoomMs?: number;
}

/** How one task is enqueued. */
export interface EnqueueOneOptions extends EnqueueOptions {
  /**
   * The same key with the same task gives the same task again, and never a second one: for repeating what may have arrived.
   * With another task it is refused. 1 to 255 printable ASCII characters, e.g. a UUID.
   */
  readonly idempotencyKey?: string;
}
