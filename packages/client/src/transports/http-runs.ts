import { MillraceError } from '@millrace/shared/errors';
import type { RunError, RunStatus } from '@millrace/shared/redis/run-record';
import type { Catalog } from '@millrace/shared/tasks/catalog';
import type { RunLineOutcome, RunRequest, RunTransport } from '../run-transport.ts';
import type { RunPage, RunView } from '../run-view.ts';
import { taskTypeName } from '../runs.ts';
import type { CallOptions } from '../transport.ts';
import { fileLines, uploadLines } from './http-files.ts';
import { errorOfOpenAi } from './http-problem.ts';
import { type ApiRequest, type ApiRequests, isOutage } from './http-requests.ts';

type Seconds = number | null;

/** A run as the API answers it, in OpenAI's shape. */
interface Batch {
  readonly id: string;
  readonly endpoint: string;
  readonly status: RunStatus;
  readonly errors: { readonly data: readonly RunError[] } | null;
  readonly input_file_id: string;
  readonly output_file_id: string | null;
  readonly error_file_id: string | null;
  readonly created_at: number;
  readonly in_progress_at: Seconds;
  readonly expires_at: Seconds;
  readonly completed_at: Seconds;
  readonly failed_at: Seconds;
  readonly expired_at: Seconds;
  readonly cancelled_at: Seconds;
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number };
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly progress: {
    readonly lines_per_second: number | null;
    readonly eta_seconds: number | null;
    readonly blocked: RunView['blocked'];
  };
}

interface BatchList {
  readonly data: readonly Batch[];
  readonly last_id: string | null;
  readonly has_more: boolean;
}

/** A line of an output or an error file. */
interface AnswerLine {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: Record<string, unknown> } | null;
  readonly error: unknown;
}

const endpoint = '/v1/tasks';
/** Runs among which one that was just begun is looked for. */
const lookedThrough = 100;

/** Runs by the API's files and batches. */
export class HttpRuns implements RunTransport {
  private readonly requests: ApiRequests;
  private readonly catalog: Catalog;

  constructor(requests: ApiRequests, catalog: Catalog) {
    this.requests = requests;
    this.catalog = catalog;
  }

  async submit(request: RunRequest, { signal }: CallOptions): Promise<RunView> {
    const { type, source, taskOptions } = request;
    const rest = JSON.stringify({ type, ...taskOptions }).slice(0, -1);
    const line = (text: string, index: number) =>
      `{"custom_id":"${index}","method":"POST","url":"${endpoint}","body":${rest},"input":${text}}}`;
    const fileId = await uploadLines(this.requests, { source, line }, { signal });
    try {
      return viewOf(await this.begin(fileId, request, signal));
    } catch (error) {
      // Nobody else knows of the file. One that a run reads after all stays.
      if (!isOutage(error)) void this.requests.json({ method: 'DELETE', path: `/v1/files/${fileId}` }).catch(() => {});
      throw error;
    }
  }

  async get(id: string, { signal }: CallOptions): Promise<RunView> {
    return viewOf(await this.requests.json<Batch>({ path: pathOf(id), signal }));
  }

  async list(
    { limit, after }: { limit: number; after?: string | undefined },
    { signal }: CallOptions,
  ): Promise<RunPage> {
    const query = new URLSearchParams({ limit: String(limit), ...(after === undefined ? {} : { after }) });
    const page = await this.requests.json<BatchList>({ path: `/v1/batches?${query}`, signal });
    return { runs: page.data.map(viewOf), after: page.has_more ? page.last_id : null };
  }

  async cancel(id: string, { signal }: CallOptions): Promise<RunView> {
    const request = { method: 'POST', path: `${pathOf(id)}/cancel`, signal, doneBefore: 'RUN_ENDED' } as const;
    const batch = await this.requests.json<Batch | undefined>(request);
    return batch === undefined ? await this.get(id, { signal }) : viewOf(batch);
  }

  async *outcomes(view: RunView, { signal }: CallOptions): AsyncGenerator<RunLineOutcome, void, undefined> {
    if (view.type === null) throw notOurs(view);
    const vectors = this.catalog.get(view.type)?.vectors;
    const files = [view.files.output, view.files.errors].filter((file) => file !== null);
    yield* inOrder(files.map((file) => this.outcomesIn(file, vectors, signal)));
  }

  private async *outcomesIn(
    file: string,
    vectors: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RunLineOutcome, void, undefined> {
    for await (const line of fileLines(this.requests, file, { signal })) yield outcomeOf(line, vectors);
  }

  /** Begins the run over a file; when an answer was lost, only if there is none. */
  private async begin(fileId: string, request: RunRequest, signal: AbortSignal | undefined): Promise<Batch> {
    const { type, priority, metadata, completionWindow, webhook } = request;
    const create: ApiRequest = {
      method: 'POST',
      path: '/v1/batches',
      body: {
        input_file_id: fileId,
        endpoint,
        completion_window: completionWindow,
        metadata: { ...metadata, [taskTypeName]: type, priority: String(priority) },
        ...(webhook === undefined ? {} : { webhook }),
      },
      signal,
      retryMs: 0,
    };
    return await this.requests.persist({ path: create.path, signal }, async (isRepeat) => {
      const begun = isRepeat ? await this.find(fileId, signal) : undefined;
      return begun ?? (await this.requests.json<Batch>(create));
    });
  }

  private async find(fileId: string, signal: AbortSignal | undefined): Promise<Batch | undefined> {
    const path = `/v1/batches?limit=${lookedThrough}`;
    const { data } = await this.requests.json<BatchList>({ path, signal, retryMs: 0 });
    return data.find((batch) => batch.input_file_id === fileId);
  }
}

/** @throws MillraceError RUN_NOT_FOUND. */
function pathOf(id: string): string {
  // What can be no id is not asked for: it could be another address.
  if (/^[\w-]+$/.test(id)) return `/v1/batches/${id}`;
  throw new MillraceError('RUN_NOT_FOUND', `There is no run ${JSON.stringify(id.slice(0, 100))}.`);
}

/** Each file is in the order of the inputs; side by side they are all of them. */
async function* inOrder(
  files: readonly AsyncGenerator<RunLineOutcome, void, undefined>[],
): AsyncGenerator<RunLineOutcome, void, undefined> {
  const headOf = async (file: AsyncGenerator<RunLineOutcome, void, undefined>) => {
    const { done, value } = await file.next();
    return done === true ? [] : [{ file, outcome: value }];
  };
  try {
    let heads = (await Promise.all(files.map(headOf))).flat();
    for (;;) {
      heads.sort((one, other) => one.outcome.index - other.outcome.index);
      const [first, ...others] = heads;
      if (first === undefined) return;
      yield first.outcome;
      heads = [...others, ...(await headOf(first.file))];
    }
  } finally {
    for (const file of files) void file.return().catch(() => {});
  }
}

function outcomeOf(text: string, vectors: string | undefined): RunLineOutcome {
  const { custom_id, response, error } = JSON.parse(text) as AnswerLine;
  const index = Number(custom_id);
  if (response?.status_code !== 200) return { index, error: errorOfOpenAi(response?.body['error'] ?? error) };
  const output = response.body;
  const rows = vectors === undefined ? undefined : output[vectors];
  if (vectors === undefined || !Array.isArray(rows)) return { index, output };
  return { index, output: { ...output, [vectors]: rows.map((row: number[]) => Float32Array.from(row)) } };
}

function viewOf(batch: Batch): RunView {
  const { id, status: state, request_counts: counts, progress } = batch;
  const { [taskTypeName]: type = null, priority = 'low', ...metadata } = batch.metadata ?? {};
  const { completed_at, failed_at, expired_at, cancelled_at } = batch;
  return {
    id,
    type: batch.endpoint === endpoint ? type : null,
    state,
    counts: { total: counts.total, succeeded: counts.completed, failed: counts.failed },
    linesPerSecond: progress.lines_per_second,
    leftMs: progress.eta_seconds === null ? null : progress.eta_seconds * 1000,
    blocked: progress.blocked,
    errors: batch.errors?.data ?? [],
    createdAt: new Date(batch.created_at * 1000).toISOString(),
    startedAt: iso(batch.in_progress_at),
    endedAt: iso(completed_at ?? failed_at ?? expired_at ?? cancelled_at),
    expiresAt: iso(batch.expires_at),
    priority,
    metadata,
    files: { input: batch.input_file_id, output: batch.output_file_id, errors: batch.error_file_id },
  };
}

function iso(seconds: Seconds): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString();
}

function notOurs({ id }: RunView): MillraceError {
  const detail = `The run ${id} was not begun by runs.submit: read its files, GET /v1/files/{id}/content.`;
  return new MillraceError('INVALID_REQUEST', detail);
}
