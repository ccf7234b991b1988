import { errorTable } from '@millrace/shared/errors';

/** @typedef {import('./send.mjs').Answer} Answer */
/** @typedef {import('./requests.mjs').Operation} Operation */

/** A 5xx that says what is promised: nobody computes, or not in time. All else is a fault, REDIS_UNAVAILABLE too, for Redis is there. */
const promised = ['NO_WORKER', 'WAIT_TIMEOUT', 'TASK_TIMEOUT'];
/** Codes that OpenAI has for ours. */
const openAiWords = new Map([
  ['invalid_api_key', 'UNAUTHORIZED'],
  ['insufficient_permissions', 'FORBIDDEN'],
  ['model_not_found', 'MODEL_NOT_AVAILABLE'],
  ['rate_limit_exceeded', 'QUEUE_FULL'],
]);
/** What must not be told: our files, our calls. */
const inside = /node_modules|\.(?:ts|js|mjs):\d+:\d+|\n\s+at /;
/** Files that paths were tried for. */
export const stolen = /root:[^:]*:0:0:|"workspaces"\s*:/;

/**
 * What is wrong with an answer; nothing when all is well.
 *
 * @param {Answer} answer
 * @param {{ method: string, operation: Operation | undefined }} asked without an operation: anything else
 * @returns {string | undefined}
 */
export function faultOf(answer, { method, operation }) {
  const { status, headers, text, broken } = answer;
  if (broken !== undefined) return `no answer: ${broken}`;
  if (stolen.test(text)) return 'a file of the machine';
  if (headers['set-cookie'] !== undefined || headers['x-powered-by'] !== undefined) return 'a header that is not ours';
  if (headers['x-request-id'] === undefined && status !== 400 && status !== 431) return 'no x-request-id';
  if (operation !== undefined && !(status in operation.responses)) return `${status} is not in the document`;
  if (status >= 400) return method === 'HEAD' ? faultOfStatus(status) : faultOfError(answer);
  if (operation === undefined || method === 'HEAD' || text === '') return undefined;
  return faultOfSuccess(answer, operation);
}

/** @param {number} status */
function faultOfStatus(status) {
  return status >= 500 ? `${status}` : undefined;
}

/** @param {Answer} answer */
function faultOfError({ status, headers, text }) {
  const type = headers['content-type'] ?? '';
  const body = parsed(text);
  const code = codeOf(type, body);
  if (code === undefined) return `${status} without a code of docs/errors.md: ${type} ${text.slice(0, 200)}`;
  if (status >= 500 && !promised.includes(code)) return `${status} ${code}: ${text.slice(0, 300)}`;
  if (inside.test(text)) return `it tells of our insides: ${text.slice(0, 300)}`;
  return undefined;
}

/**
 * @param {string} type
 * @param {any} body
 * @returns {string | undefined}
 */
function codeOf(type, body) {
  const code = type === 'application/problem+json' ? body?.code : body?.error?.code;
  const name = typeof code === 'string' ? (openAiWords.get(code) ?? code.toUpperCase()) : undefined;
  // GET /readyz says by 503 that Redis is away, and has a body of its own.
  return name !== undefined && name in errorTable ? name : undefined;
}

/**
 * @param {Answer} answer
 * @param {Operation} operation
 */
function faultOfSuccess({ status, headers, text }, { responses }) {
  const type = (headers['content-type'] ?? '').split(';')[0] ?? '';
  const declared = Object.keys(responses[status]?.content ?? {});
  if (declared.length > 0 && !declared.includes(type))
    return `${status} is ${type}, the document says ${declared.join(', ')}`;
  if (type === 'application/json' && text.length < 2 ** 20 && parsed(text) === undefined) return `${status} is no JSON`;
  return undefined;
}

/** @param {string} text */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
