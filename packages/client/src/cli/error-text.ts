import { type ErrorCode, errorTable, MillraceError, type Problem, toMillraceError } from '@millrace/shared/errors';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { howToStart } from './mill-address.ts';
import { Interrupted, Refusal } from './refusal.ts';

/** An error as `--json` prints it. */
interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly problems?: readonly Problem[];
}

/** Here the remedy is another than for a program. */
const remedies: Partial<Record<ErrorCode, string>> = {
  REDIS_UNAVAILABLE: howToStart,
  API_UNAVAILABLE: howToStart,
  UNAUTHORIZED: 'Set MILLRACE_API_KEY to a key of that API.',
  FORBIDDEN: 'Set MILLRACE_API_KEY to a key with that scope.',
  WAIT_TIMEOUT: 'It goes on: look again with `millrace get ID --wait 5m`.',
  RESULT_NOT_READY: 'Wait for it: `millrace get ID --wait 5m`.',
  QUEUE_FULL: 'Try again later, or add workers.',
  INVALID_INPUT: 'docs/tasks.md has the input of each type.',
  TASK_ENDED: '`millrace get ID` says how; `millrace retry ID` tries a failed one again.',
  TASK_NOT_FAILED: '`millrace get ID` says how it stands.',
  TASK_NOT_SUCCEEDED: '`millrace get ID` says why.',
  POISONED: 'Look at the input and at the log of the worker; `millrace retry ID` tries again.',
};

const exits: Partial<Record<ErrorCode, ExitCode>> = {
  REDIS_UNAVAILABLE: exitCodes.unreachable,
  API_UNAVAILABLE: exitCodes.unreachable,
  UNAUTHORIZED: exitCodes.unreachable,
  FORBIDDEN: exitCodes.unreachable,
  REDIS_EVICTS: exitCodes.unreachable,
  CONFIG_INVALID: exitCodes.usage,
  INVALID_REQUEST: exitCodes.usage,
  UNSUPPORTED_TASK_TYPE: exitCodes.usage,
  MODEL_NOT_AVAILABLE: exitCodes.usage,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interrupted) return exitCodes.interrupted;
  if (error instanceof Refusal) return error.exitCode;
  return exits[toMillraceError(error).code] ?? exitCodes.failed;
}

export function reportOf(error: unknown): ErrorReport {
  if (error instanceof Interrupted) return { code: 'INTERRUPTED', message: error.message };
  if (error instanceof Refusal) {
    const { cause } = error;
    return { code: cause instanceof MillraceError ? cause.code : 'REFUSED', message: error.message };
  }
  const { code, message, problems } = toMillraceError(error);
  const remedy = remedies[code] ?? errorTable[code].remedy;
  return { code, message, remedy, ...(problems.length > 0 ? { problems } : {}) };
}

/** An error for a person: what was wrong, and what to do. */
export function errorText(error: unknown): string {
  const { message, remedy, problems = [] } = reportOf(error);
  const sentence = `${message}${/[.!?]$/.test(message) ? '' : '.'}`;
  // The message of one problem tells it already.
  const listed = problems.length > 1 ? problems : [];
  const list = listed.map(({ path, got, expected }) => `\n  ${path}: got ${got}, expected ${expected}`);
  const isSaid =
    remedy === undefined || [remedy, ...problems.map((problem) => problem.remedy)].some((one) => message.includes(one));
  return `${sentence}${isSaid ? '' : ` ${remedy}`}${list.join('')}`;
}
