import { MillraceError } from '@millrace/shared/errors';
import { z } from 'zod';

/** A file of a model on the hub. */
export interface HubFile {
  /** In the model. */
  readonly path: string;
  readonly bytes: number;
  /** Where the hub tells it, which is for large files. */
  readonly sha256: string | undefined;
}

interface HubParams {
  /** Where it is: https://huggingface.co, or what speaks as it does. */
  readonly url: string;
  /** Within how many ms an answer must begin, and how long it may stand still. */
  readonly patienceMs: number;
}

const treeSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int(),
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
  }),
);

/** The branch that models are taken from. What it was at that time is pinned in the folder that it becomes. */
const branch = 'main';

/** The hub that models come from, over HTTP. */
export class Hub {
  private readonly params: HubParams;

  constructor(params: HubParams) {
    this.params = params;
  }

  get url(): string {
    return this.params.url;
  }

  /** The files of a model. @throws MillraceError MODEL_NOT_AVAILABLE when the hub does not have it, or does not answer. */
  async list(model: string): Promise<HubFile[]> {
    const stop = new AbortController();
    const response = await this.get(model, `api/models/${model}/tree/${branch}?recursive=true`, stop);
    try {
      const entries = treeSchema.parse(await this.inTime(response.json(), stop));
      return entries.flatMap(({ type, path, size, lfs }) =>
        type === 'file' ? [{ path, bytes: size, sha256: lfs?.oid }] : [],
      );
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
      throw this.failure(model, `its list of files is not understood (${reason})`);
    }
  }

  /** What is in a file, piece by piece; a piece that does not come in time is an error. @throws as `list`. */
  async *read(model: string, path: string): AsyncGenerator<Uint8Array> {
    const stop = new AbortController();
    const response = await this.get(model, `${model}/resolve/${branch}/${encodeURI(path)}`, stop);
    const reader = response.body?.getReader();
    try {
      for (;;) {
        const piece = await this.inTime(reader?.read(), stop);
        if (piece === undefined || piece.done) return;
        yield piece.value;
      }
    } catch (error) {
      throw this.failure(model, `${path} broke off (${reasonOf(error)})`);
    } finally {
      stop.abort();
    }
  }

  private async get(model: string, path: string, stop: AbortController): Promise<Response> {
    const url = new URL(path, this.params.url.endsWith('/') ? this.params.url : `${this.params.url}/`);
    let response: Response | undefined;
    try {
      response = await this.inTime(fetch(url, { signal: stop.signal }), stop);
    } catch (error) {
      throw this.failure(model, `it does not answer (${reasonOf(error)})`);
    }
    if (response?.ok) return response;
    await response?.body?.cancel();
    // Of a model that is private, or not there, the hub says 401: it does not tell one from the other.
    const absent = response?.status === 401 || response?.status === 403 || response?.status === 404;
    throw this.failure(model, absent ? 'it has no such model for everybody' : `it answers with ${response?.status}`);
  }

  /** Waits as long as patience lasts. */
  private async inTime<T>(promise: Promise<T> | undefined, stop: AbortController): Promise<T | undefined> {
    const { patienceMs } = this.params;
    const timer = setTimeout(() => stop.abort(new Error(`nothing came within ${patienceMs} ms`)), patienceMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  private failure(model: string, reason: string): MillraceError {
    return new MillraceError('MODEL_NOT_AVAILABLE', `Model ${model} cannot be loaded from ${this.url}: ${reason}.`);
  }
}

/** fetch hides what happened in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
