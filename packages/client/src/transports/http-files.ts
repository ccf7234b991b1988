import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from '../abortable.ts';
import { linesIn } from '../lines-in.ts';
import type { RunSource } from '../run-source.ts';
import type { CallOptions } from '../transport.ts';
import { type ApiRequests, isOutage } from './http-requests.ts';

/** Bytes that are sent together, about. */
const pieceBytes = 2 ** 16;
/** How long an API may take to store what it was sent; ms. */
const storeWithinMs = 45_000;
const reconnectMs = 250;

/** A file of the API's store that a run is to read. */
interface Upload {
  readonly source: RunSource;
  /** The line of an input, by its place. */
  readonly line: (text: string, index: number) => string;
}

/**
 * Uploads lines as they come, and holds none of them; once more when the upload breaks off and the source can be read again. Gives
 * the id of the file.
 * @throws MillraceError the API's own, API_UNAVAILABLE; what the source throws; the reason of the signal.
 */
export async function uploadLines(requests: ApiRequests, upload: Upload, { signal }: CallOptions): Promise<string> {
  const boundary = `millrace-${randomUUID()}`;
  let broken: { readonly error: unknown } | undefined;
  async function* body() {
    try {
      yield* partsOf(upload, { boundary, signal });
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  const request = {
    method: 'POST',
    path: '/v1/files',
    contentType: `multipart/form-data; boundary=${boundary}`,
    upload: body,
    waitMs: storeWithinMs,
    signal,
  } as const;
  // A torn upload may have met an API that stops: what can be sent again is.
  const { id } = await requests
    .persist(request, async () => {
      try {
        return await requests.json<{ id: string }>({ ...request, retryMs: 0 });
      } catch (error) {
        if (broken !== undefined) throw broken.error;
        if (isOutage(error) && !upload.source.isFresh) throw new Unrepeatable(error);
        throw error;
      }
    })
    .catch((error: unknown) => {
      throw error instanceof Unrepeatable ? error.cause : error;
    });
  return id;
}

/** An outage that no second try can mend. */
class Unrepeatable extends Error {
  constructor(cause: unknown) {
    super('the inputs can be read only once', { cause });
  }
}

async function* partsOf(
  { source, line }: Upload,
  { boundary, signal }: CallOptions & { readonly boundary: string },
): AsyncGenerator<Uint8Array, void, undefined> {
  const part = (disposition: string) => `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n`;
  let text = `${part('name="purpose"')}\r\nbatch\r\n`;
  text += `${part('name="file"; filename="inputs.jsonl"')}content-type: application/jsonl\r\n\r\n`;
  let index = 0;
  for await (const input of source.texts()) {
    signal?.throwIfAborted();
    text += `${line(input, index)}\n`;
    index += 1;
    if (text.length < pieceBytes) continue;
    yield Buffer.from(text);
    // A source that never waits must not keep everything else from its turn, such as the end of the request.
    await nextTurn();
    text = '';
  }
  yield Buffer.from(`${text}\r\n--${boundary}--\r\n`);
}

/**
 * The lines of a file of the API's store. A connection that breaks is followed by another, which passes over what was read already:
 * a file never changes.
 */
export async function* fileLines(
  requests: ApiRequests,
  fileId: string,
  options: CallOptions,
): AsyncGenerator<string, void, undefined> {
  for await (const line of linesIn(bytesOf(requests, fileId, options))) {
    if (line.length > 0) yield new TextDecoder().decode(line);
  }
}

async function* bytesOf(
  requests: ApiRequests,
  fileId: string,
  { signal }: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const path = `/v1/files/${encodeURIComponent(fileId)}/content`;
  let read = 0;
  for (let heardAt = performance.now(); ; await pause(reconnectMs, signal)) {
    let passed = 0;
    try {
      for await (const piece of requests.stream({ path, signal })) {
        const isNew = passed + piece.length > read;
        const fresh = isNew ? piece.subarray(Math.max(0, read - passed)) : undefined;
        passed += piece.length;
        if (fresh === undefined) continue;
        read = passed;
        yield fresh;
        heardAt = performance.now();
      }
      return;
    } catch (error) {
      if (!isOutage(error) || performance.now() - heardAt > requests.retryMs) throw error;
    }
  }
}
