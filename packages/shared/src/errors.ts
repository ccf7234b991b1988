import { httpErrors } from './http-errors.ts';
import { runErrors } from './run-errors.ts';
import { steeringErrors } from './steering-errors.ts';
import { vectorErrors } from './vector-errors.ts';
import { webhookErrors } from './webhook-errors.ts';

/** Everything that is known about an error code; the one table behind HTTP answers, failed tasks and docs/errors.md. */
interface ErrorFacts {
  /** HTTP status when the error answers a request. */
  readonly status: number;
  /** Whether doing the same thing again, later, can succeed; an attempt is only spent again on those. */
  readonly retryable: boolean;
  readonly title: string;
  readonly remedy: string;
}

export const errorTable = {
  INVALID_JSON: {
    status: 400,
    retryable: false,
    title: 'The body is not JSON',
    remedy: 'Send one JSON document (or NDJSON to /v1/tasks/bulk), UTF-8.',
  },
  INVALID_REQUEST: {
    status: 422,
    retryable: false,
    title: 'The request is not valid',
    remedy: 'Mend every entry of `problems`; nothing was changed.',
  },
  INVALID_INPUT: {
    status: 422,
    retryable: false,
    title: 'The task is not valid',
    remedy: 'Mend every entry of `problems`; GET /v1/task-types has the schema of each type.',
  },
  UNSUPPORTED_TASK_TYPE: {
    status: 422,
    retryable: false,
    title: 'No such task type',
    remedy: 'Use one of the types that the message lists.',
  },
  INPUT_TOO_LARGE: {
    status: 422,
    retryable: false,
    title: 'The input of the task is too large',
    remedy:
      'Send it as several tasks: POST /v1/tasks/bulk takes up to 10,000, and the client splits by itself in `embed`.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    retryable: false,
    title: 'The body is too large',
    remedy: 'Send smaller requests, or stream NDJSON to /v1/tasks/bulk, where the limit holds for each line.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    retryable: false,
    title: 'The content type is not supported',
    remedy: 'Use content-type application/json (or application/x-ndjson on /v1/tasks/bulk).',
  },
  UNAUTHORIZED: {
    status: 401,
    retryable: false,
    title: 'A key is needed',
    remedy: 'Send `Authorization: Bearer KEY` with a key whose hash is in MILLRACE_API_KEYS.',
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    title: 'The key does not reach that far',
    remedy: 'Use a key with the scope that the message names.',
  },
  OTHER_SITE: {
    status: 403,
    retryable: false,
    title: "Another site's page may change nothing here",
    remedy: 'Send it from a program, or from a page that this API serves; a proxy in front of it must pass Host on.',
  },
  ...httpErrors,
  ROUTE_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such route',
    remedy: 'GET /docs lists every route.',
  },
  TASK_NOT_FOUND: {
    status: 404,
    retryable: false,
    title: 'No such task',
    remedy: 'Check the id; ended tasks are forgotten some time after their result.',
  },
  RESULT_NOT_READY: {
    status: 409,
    retryable: true,
    title: 'The task has not ended',
    remedy: 'Wait for it: GET /v1/tasks/{id}?wait=30.',
  },
  TASK_NOT_SUCCEEDED: {
    status: 409,
    retryable: false,
    title: 'The task ended without a result',
    remedy: 'GET /v1/tasks/{id} says why.',
  },
  RESULT_EXPIRED: {
    status: 410,
    retryable: false,
    title: 'The result is no longer kept',
    remedy: 'Enqueue the task again, with a larger resultTtlMs if needed.',
  },
  ...steeringErrors,
  ...vectorErrors,
  ...runErrors,
  ...webhookErrors,
  NOT_ACCEPTABLE: {
    status: 406,
    retryable: false,
    title: 'The result has no such form',
    remedy: 'Ask for application/json; application/octet-stream is for results that are vectors.',
  },
  TOO_MANY_ITEMS: {
    status: 422,
    retryable: false,
    title: 'Too many tasks in one request',
    remedy: 'Send at most 10,000 tasks per request.',
  },
  QUEUE_FULL: {
    status: 429,
    retryable: true,
    title: 'No room for more waiting work',
    remedy: 'Send it again after Retry-After seconds.',
  },
  REDIS_UNAVAILABLE: {
    status: 503,
    retryable: true,
    title: 'Redis does not answer',
    remedy:
      'Whether the task was accepted is not known: check that Redis runs at REDIS_URL and send it again with the same Idempotency-Key.',
  },
  API_UNAVAILABLE: {
    status: 503,
    retryable: true,
    title: 'The API does not answer',
    remedy:
      'Whether the task was accepted is not known: check that the API runs at baseUrl and send it again with the same idempotencyKey.',
  },
  REDIS_EVICTS: {
    status: 503,
    retryable: false,
    title: 'This Redis may throw tasks away',
    remedy: 'redis-cli CONFIG SET maxmemory-policy noeviction (and the same in redis.conf).',
  },
  MODEL_NOT_AVAILABLE: {
    status: 422,
    retryable: false,
    title: 'No worker has that model',
    remedy:
      'Put the model below MODELS_DIR of the workers, let them load it from the hub (ALLOW_REMOTE_MODELS), or leave `model` out for the bundled one.',
  },
  MODEL_DAMAGED: {
    status: 500,
    retryable: false,
    title: 'A file of the model is not the one that was pinned',
    remedy:
      'Copy the model to the workers anew. If the change was meant, pin it again where it comes from: npm run models:pin -- NAME.',
  },
  EXPIRED: {
    status: 410,
    retryable: false,
    title: 'Not started in time',
    remedy: 'Send it again with a larger expiresInMs, or add workers.',
  },
  CANCELLED: {
    status: 409,
    retryable: false,
    title: 'Cancelled',
    remedy: 'Send it again if that was a mistake.',
  },
  TASK_TIMEOUT: {
    status: 504,
    retryable: true,
    title: 'The computation took too long',
    remedy: 'Send smaller inputs, or raise timeoutMs.',
  },
  POISONED: {
    status: 500,
    retryable: false,
    title: 'The input kills the process that computes it',
    remedy: 'Look at the input and at the log of the worker; POST /v1/tasks/{id}/retry tries again.',
  },
  PROCESSOR_FAILED: {
    status: 500,
    retryable: true,
    title: 'The computation failed',
    remedy: 'The message says what the processor threw.',
  },
  WAIT_TIMEOUT: {
    status: 504,
    retryable: true,
    title: 'The task had not ended when the wait was over',
    remedy: 'It goes on: wait again with the same id.',
  },
  CLOSED: {
    status: 503,
    retryable: true,
    title: 'Closed while waiting',
    remedy: 'The task goes on: ask again from another process.',
  },
  CONFIG_INVALID: {
    status: 500,
    retryable: false,
    title: 'A setting is not valid',
    remedy: 'Mend every setting that the message names; .env.example explains each.',
  },
  LANE_FAILED: {
    status: 500,
    retryable: true,
    title: 'A compute process could not start',
    remedy: 'The message and the lines before it in the log say why.',
  },
  INTERNAL: {
    status: 500,
    retryable: true,
    title: 'A fault in Millrace',
    remedy: 'The log has the details; please report it.',
  },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof errorTable;

/** One thing that was wrong with an input: where, what was there, what should have been, what to do. */
export interface Problem {
  readonly path: string;
  readonly got: string;
  readonly expected: string;
  readonly remedy: string;
}

interface MillraceErrorOptions {
  readonly problems?: readonly Problem[];
  readonly items?: readonly ItemFailure[];
  readonly cause?: unknown;
  /** Milliseconds after which it is worth trying again. */
  readonly retryAfterMs?: number;
}

/** The failure of one item of a task: which one, and why. */
export interface ItemFailure {
  readonly index: number;
  readonly code: ErrorCode;
}

/** The only error that leaves Millrace's own code: a code of the table, and a message with the value that was wrong. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];
  readonly items: readonly ItemFailure[];
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, detail: string, options: MillraceErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.problems = options.problems ?? [];
    this.items = options.items ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text);
}

/** What any thrown value is in Millrace's terms; a stranger's error becomes INTERNAL and keeps itself as cause. */
export function toMillraceError(thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  return new MillraceError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

/** BullMQ's failedReason of a task: `CODE: message`. */
export function formatFailedReason(code: ErrorCode, detail: string): string {
  return `${code}: ${detail}`;
}

/** Reads a failedReason back; one that Millrace did not write counts as PROCESSOR_FAILED. */
export function parseFailedReason(reason: string): { code: ErrorCode; detail: string } {
  const match = /^([A-Z_]+): ([\s\S]*)$/.exec(reason);
  const [, code, detail] = match ?? [];
  if (code !== undefined && detail !== undefined && isErrorCode(code)) return { code, detail };
  return { code: 'PROCESSOR_FAILED', detail: reason };
}
