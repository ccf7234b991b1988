/** The errors of steering tasks; a part of the table in errors.ts, which says what each field means. */
export const steeringErrors = {
  TASK_ENDED: {
    status: 409,
    retryable: false,
    title: 'The task has ended',
    remedy: 'GET /v1/tasks/{id} says how; POST /v1/tasks/{id}/retry tries a failed one again.',
  },
  TASK_NOT_FAILED: {
    status: 409,
    retryable: false,
    title: 'Only a task that failed, expired or was cancelled can be tried again',
    remedy: 'GET /v1/tasks/{id} says how it stands; enqueue it anew to compute it once more.',
  },
  TASK_NOT_WAITING: {
    status: 409,
    retryable: false,
    title: 'The task does not wait any more',
    remedy: 'A priority matters only until the task runs.',
  },
  TASK_HAS_PARENT: {
    status: 409,
    retryable: false,
    title: 'The task is a part of another',
    remedy: 'Steer the task that the message names.',
  },
  IDEMPOTENCY_MISMATCH: {
    status: 409,
    retryable: false,
    title: 'The Idempotency-Key stands for another task',
    remedy: 'Use a new key for each new task, and the same key only to repeat the very same request.',
  },
  SCHEDULE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such schedule',
    remedy: 'GET /v1/schedules lists those that exist.',
  },
} as const;
