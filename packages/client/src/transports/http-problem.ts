import { type ErrorCode, isErrorCode, MillraceError, type Problem } from '@millrace/shared/errors';

/** An answer of an API that is no success. */
interface Refusal {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | null;
  readonly text: string;
  /** What was asked. */
  readonly url: string;
}

/** A problem document as the API writes it, of which nothing is sure. */
interface ProblemDocument {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly problems?: unknown;
}

/** An error in OpenAI's form, as the routes of files and runs answer it and runs write it, of which nothing is sure. */
interface OpenAiError {
  readonly code?: unknown;
  readonly message?: unknown;
}

/** Where that form has a name of its own. */
const openAiNames: Readonly<Record<string, ErrorCode>> = {
  invalid_api_key: 'UNAUTHORIZED',
  insufficient_permissions: 'FORBIDDEN',
  model_not_found: 'MODEL_NOT_AVAILABLE',
  rate_limit_exceeded: 'RATE_LIMITED',
  batch_expired: 'EXPIRED',
};

/** Statuses by which a proxy says that there is no API behind it. */
const away = [502, 503, 504];
/** An API that is closing: for whoever asks it is away. */
const ofTheApiItself: readonly ErrorCode[] = ['CLOSED'];

/** The error that an answer tells: the API's own, or that there is no Millrace API at that address. */
export function errorOfRefusal({ status, contentType, retryAfter, text, url }: Refusal): MillraceError {
  const retryAfterMs = secondsIn(retryAfter);
  const problem = contentType.includes('application/problem+json') ? parse(text) : undefined;
  if (problem !== undefined) return errorOfProblem(problem, retryAfterMs);
  const answer = contentType.includes('application/json') ? parse(text) : undefined;
  if (answer !== undefined && 'error' in answer) return errorOfOpenAi(answer.error, retryAfterMs);
  const form = contentType || 'nothing';
  if (away.includes(status)) return unavailable(`${url} answered ${status} with ${form}.`, { retryAfterMs });
  return notAnApi({ status, contentType, url });
}

/** Somebody answered, but not a Millrace API. */
export function notAnApi({ status, contentType, url }: Pick<Refusal, 'status' | 'contentType' | 'url'>): MillraceError {
  const said = `${url} answered ${status} with ${contentType || 'nothing'}`;
  return new MillraceError('CONFIG_INVALID', `${said}: baseUrl must be the address of a Millrace API.`);
}

/** The same error as where the problem arose. */
export function errorOfProblem(problem: ProblemDocument, retryAfterMs?: number): MillraceError {
  const { code, detail } = problem;
  const message = typeof detail === 'string' ? detail : 'The API gave no reason.';
  const given = { problems: problemsIn(problem), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (typeof code !== 'string') return new MillraceError('INTERNAL', message, given);
  // An API that is newer than this client may have codes that are not known here.
  if (!isErrorCode(code)) return new MillraceError('INTERNAL', `${code}: ${message}`, given);
  return new MillraceError(ofTheApiItself.includes(code) ? 'API_UNAVAILABLE' : code, message, given);
}

/** What an error in OpenAI's form says in Millrace's terms. */
export function errorOfOpenAi(error: unknown, retryAfterMs?: number): MillraceError {
  const { code, message }: OpenAiError = typeof error === 'object' && error !== null ? error : {};
  const name = typeof code === 'string' ? (openAiNames[code] ?? code.toUpperCase()) : undefined;
  return errorOfProblem({ code: name, detail: message }, retryAfterMs);
}

/** Nobody answered, or nobody who could. */
export function unavailable(
  message: string,
  { cause, retryAfterMs }: { cause?: unknown; retryAfterMs?: number | undefined } = {},
): MillraceError {
  return new MillraceError('API_UNAVAILABLE', message, {
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function parse(text: string): ProblemDocument | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function problemsIn({ problems }: ProblemDocument): Problem[] {
  if (!Array.isArray(problems)) return [];
  return problems.map(({ path, got, expected, remedy }) => ({
    path: String(path),
    got: String(got),
    expected: String(expected),
    remedy: String(remedy),
  }));
}

function secondsIn(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
