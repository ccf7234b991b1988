import { ReadableStream } from 'node:stream/web';
import { type ErrorCode, MillraceError } from '@millrace/shared/errors';
import { onAbort, pause } from '../abortable.ts';
import { errorOfRefusal, notAnApi, unavailable } from './http-problem.ts';
import { Slots } from './slots.ts';

/** Where a mill's API is. */
export interface HttpAddress {
  /** The API, e.g. http://127.0.0.1:3000; a path before /v1 is kept. */
  readonly baseUrl: string;
  /** One of MILLRACE_API_KEYS, if the API wants one. */
  readonly apiKey?: string;
  /**
   * How long a request that found no API, or an API without Redis, is sent again, in ms; default 10,000, 0 for never. What may have
   * arrived is sent again under the same Idempotency-Key. One that was RATE_LIMITED is sent again when the API said, if that is in time.
   */
  readonly retryMs?: number;
  /** In place of Node's own `fetch`, for instance for a proxy. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind baseUrl, with its query. */
  readonly path: string;
  /** A JSON document, if it is not a text of `contentType`. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** In place of `body`: bytes as they come. While the next are made no time counts. */
  readonly upload?: () => AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the request. */
  readonly signal?: AbortSignal | undefined;
  /** Ends only the tries that follow: what is under way is waited for. */
  readonly giveUp?: AbortSignal | undefined;
  /** The API takes so long on purpose; ms. */
  readonly waitMs?: number;
  /** In place of the address's. */
  readonly retryMs?: number;
  /** What a second try answers when the first, whose answer was lost, had done it; then the answer is undefined. */
  readonly doneBefore?: ErrorCode;
}

const defaultRetryMs = 10_000;
/** Whoever does not answer for so long is taken for dead: the API itself says within 3 s that it has no Redis; ms. */
const answerWithinMs = 15_000;
/** Requests, each on a connection of its own, that are under way at once. */
const requestsAtOnce = 64;
const firstPauseMs = 100;
const longestPauseMs = 2000;
const outages: readonly ErrorCode[] = ['API_UNAVAILABLE', 'REDIS_UNAVAILABLE'];

/** Requests to an API: sent again while it is away, answered with its own errors, never hanging. */
export class ApiRequests {
  readonly retryMs: number;
  private readonly base: string;
  private readonly fetch: typeof globalThis.fetch;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly slots = new Slots(requestsAtOnce);
  private readonly underWay = new Set<AbortController>();
  private closed = false;

  /** @throws MillraceError CONFIG_INVALID. */
  constructor({ baseUrl, apiKey, retryMs = defaultRetryMs, fetch = globalThis.fetch }: HttpAddress) {
    this.base = baseOf(baseUrl);
    this.fetch = fetch;
    this.retryMs = retryMs;
    this.headers = apiKey === undefined ? {} : { authorization: `Bearer ${checkedKey(apiKey)}` };
  }

  /** The JSON that is answered. @throws MillraceError the API's own; API_UNAVAILABLE, CONFIG_INVALID, CLOSED. */
  async json<T>(request: ApiRequest): Promise<T> {
    const text = await this.persist(request, async (isRepeat) => {
      try {
        return await this.once(request, readJsonText);
      } catch (error) {
        if (isRepeat && codeOf(error) === request.doneBefore) return undefined;
        throw error;
      }
    });
    return (text === undefined ? undefined : JSON.parse(text)) as T;
  }

  /** The pieces of an answer that goes on and on, with `waitMs` between two of them at most. */
  async *stream({ path, headers, signal, waitMs = 0 }: ApiRequest): AsyncGenerator<Uint8Array, void, undefined> {
    const url = this.base + path;
    const guard = this.guard({ url, signal, withinMs: answerWithinMs + waitMs });
    try {
      const response = await this.fetch(url, { headers: { ...this.headers, ...headers }, signal: guard.signal });
      if (!response.ok) throw await refusalOf(response, url);
      for await (const piece of response.body ?? []) {
        // Whoever takes the pieces may take their time.
        guard.rest();
        yield piece;
        guard.heard();
      }
    } catch (error) {
      throw guard.errorOf(error);
    } finally {
      guard.release();
    }
  }

  /** Ends all that is under way with CLOSED. */
  close(): void {
    this.closed = true;
    for (const controller of this.underWay) controller.abort(closedError());
  }

  /** Does something again while the API is away, up to the time limit; each time after a longer pause. */
  async persist<T>(
    { retryMs = this.retryMs, signal, giveUp }: ApiRequest,
    act: (isRepeat: boolean) => Promise<T>,
  ): Promise<T> {
    const deadline = performance.now() + retryMs;
    for (let tries = 0; ; tries += 1) {
      try {
        return await act(tries > 0);
      } catch (error) {
        const leftMs = deadline - performance.now();
        const pauseMs = pauseBefore(error, tries, leftMs);
        if (pauseMs === undefined || leftMs <= 0 || giveUp?.aborted === true || this.closed) throw error;
        await pause(Math.min(pauseMs, leftMs), signal ?? giveUp);
      }
    }
  }

  private async once<T>(
    { path, method = 'GET', body, upload, contentType = 'application/json', headers, signal, waitMs = 0 }: ApiRequest,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const url = this.base + path;
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const typed = text === null && upload === undefined ? {} : { 'content-type': contentType };
    // Who waits on purpose has slots of its own, or nobody could ask anything while many wait.
    const leave = waitMs > 0 ? undefined : await this.slots.take({ signal });
    const guard = this.guard({ url, signal, withinMs: answerWithinMs + waitMs });
    try {
      const said = upload === undefined ? { body: text } : uploadOf(upload(), guard);
      const init = { method, ...said, headers: { ...this.headers, ...typed, ...headers }, signal: guard.signal };
      const response = await this.fetch(url, init);
      if (!response.ok) throw await refusalOf(response, url);
      return await read(response);
    } catch (error) {
      throw guard.errorOf(error);
    } finally {
      guard.release();
      leave?.();
    }
  }

  /** A signal for one exchange, which time, the caller and the closing of the client abort. */
  private guard({ url, signal, withinMs }: Guarded): Guard {
    const controller = new AbortController();
    const late = () => controller.abort(unavailable(`${url} did not answer within ${withinMs} ms.`));
    let timer = setTimeout(late, withinMs);
    const off = signal === undefined ? () => {} : onAbort(signal, () => controller.abort(signal.reason));
    this.underWay.add(controller);
    if (this.closed) controller.abort(closedError());
    if (signal?.aborted === true) controller.abort(signal.reason);
    return {
      signal: controller.signal,
      heard: () => {
        clearTimeout(timer);
        // What is released is timed no more, also when a body is still being read.
        if (this.underWay.has(controller)) timer = setTimeout(late, withinMs);
      },
      rest: () => clearTimeout(timer),
      errorOf: (error) => {
        if (controller.signal.aborted) return controller.signal.reason;
        return error instanceof MillraceError ? error : brokenOff(error, url);
      },
      release: () => {
        this.underWay.delete(controller);
        clearTimeout(timer);
        off();
      },
    };
  }
}

interface Guarded {
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  /** ms. */
  readonly withinMs: number;
}

interface Guard {
  readonly signal: AbortSignal;
  /** Something came: the time begins anew. */
  heard(): void;
  /** Until something is heard again no time counts. */
  rest(): void;
  /** What an exchange that broke off really met. */
  errorOf(error: unknown): unknown;
  /** Must be called in the end. */
  release(): void;
}

/**
 * How long to wait before the next try; undefined when there is no use in one. An API that refused for the number of requests has
 * said when it counts anew: earlier it would only refuse again, and where that is too late nobody waits for it.
 */
function pauseBefore(error: unknown, tries: number, leftMs: number): number | undefined {
  if (isOutage(error)) return Math.min(firstPauseMs * 2 ** tries, longestPauseMs) * (0.75 + Math.random() / 2);
  if (codeOf(error) !== 'RATE_LIMITED') return undefined;
  const { retryAfterMs = longestPauseMs } = error as MillraceError;
  return retryAfterMs <= leftMs ? retryAfterMs * (1 + Math.random() / 4) : undefined;
}

/** Whether an error passes when the API, or its Redis, comes back. */
export function isOutage(error: unknown): error is MillraceError {
  return error instanceof MillraceError && outages.includes(error.code);
}

/** A body that is asked for as fast as it is sent. */
function uploadOf(pieces: AsyncIterable<Uint8Array>, guard: Guard) {
  async function* timed(): AsyncGenerator<Uint8Array> {
    guard.rest();
    for await (const piece of pieces) {
      guard.heard();
      yield piece;
      guard.rest();
    }
    guard.heard();
  }
  // The very class of `fetch`, under another name of its type.
  const body = ReadableStream.from(timed()) as unknown as NonNullable<RequestInit['body']>;
  return { body, duplex: 'half' as const };
}

async function readJsonText(response: Response): Promise<string> {
  const contentType = response.headers.get('content-type') ?? '';
  const text = await response.text();
  if (contentType.includes('json')) return text;
  throw notAnApi({ status: response.status, contentType, url: response.url });
}

async function refusalOf(response: Response, url: string): Promise<MillraceError> {
  const { status, headers } = response;
  const contentType = headers.get('content-type') ?? '';
  return errorOfRefusal({
    status,
    contentType,
    retryAfter: headers.get('retry-after'),
    text: await response.text(),
    url,
  });
}

/** `fetch failed` says nothing; its cause does. */
function brokenOff(error: unknown, url: string): MillraceError {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return unavailable(`${url} does not answer: ${cause?.code ?? cause?.message ?? message}.`, { cause: error });
}

function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof MillraceError ? error.code : undefined;
}

function baseOf(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  }
  throw new MillraceError('CONFIG_INVALID', `baseUrl: got ${JSON.stringify(baseUrl)}, expected http://… or https://….`);
}

/** A key that a header can carry; it is not told, for it must reach no log. */
function checkedKey(apiKey: string): string {
  if (/^[\x21-\x7e]+$/.test(apiKey)) return apiKey;
  throw new MillraceError('CONFIG_INVALID', 'apiKey: expected printable ASCII characters without spaces.');
}

function closedError(): MillraceError {
  return new MillraceError('CLOSED', 'The client is closed.');
}
