import { MillraceError } from '@millrace/shared/errors';
import type { TaskOptions } from '@millrace/shared/tasks/task';
import type { InputOf, OutputOf, OwnTypes, TypeName } from './known-types.ts';
import { Run } from './run.ts';
import { openRunSource, type RunInputs } from './run-source.ts';
import type { RunPage } from './run-view.ts';
import type { CallOptions, Transport } from './transport.ts';

/** How a pile of tasks is run; the options of a task hold for each of them. */
export interface RunOptions extends Omit<TaskOptions, 'webhook'>, CallOptions {
  /** How long all of it may take, such as `90m`, `24h` or `7d`, up to 30 days; default 24 hours. Then it expires. */
  readonly completionWindow?: string;
  /** Kept with the run: up to 14 texts of 512 characters, by names of 64. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Who is told when the run has ended. */
  readonly webhook?: TaskOptions['webhook'];
}

/** Names in a run's metadata that say what it is. */
export const taskTypeName = 'task_type';
const ownNames: readonly string[] = [taskTypeName, 'priority'];
const windowForm = /^\d{1,9}(s|m|h|d)$/;

/**
 * Runs: piles of tasks as one object, which the mill works through by itself. By HTTP alone, since the API keeps their files; by
 * Redis every method rejects with CONFIG_INVALID.
 */
export class Runs<Own extends OwnTypes> {
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /**
   * Uploads inputs as they come and begins a run of a task for each, at low priority unless told otherwise. When this resolves the
   * run goes on without this process. An input that no task can take fails alone, when its turn comes.
   * @throws MillraceError INVALID_REQUEST, FILE_TOO_LARGE, STORAGE_FULL, QUEUE_FULL, API_UNAVAILABLE; what the inputs throw, and the
   * reason of the signal: nothing was begun then, or nobody knows when the signal came last.
   */
  async submit<T extends TypeName<Own>>(
    type: T,
    inputs: RunInputs<InputOf<Own, T>>,
    { priority = 'low', completionWindow = '24h', metadata = {}, webhook, signal, ...taskOptions }: RunOptions = {},
  ): Promise<Run<T, OutputOf<Own, T>>> {
    checkOptions({ completionWindow, metadata });
    signal?.throwIfAborted();
    const source = openRunSource(inputs);
    const request = { type, source, taskOptions, priority, metadata, completionWindow, webhook };
    const { id } = await this.transport.runs.submit(request, { signal });
    return new Run(this.transport.runs, id, type);
  }

  /**
   * A run that was begun elsewhere. With its type the results are typed by that.
   * @throws MillraceError RUN_NOT_FOUND, INVALID_REQUEST when it is one of another type.
   */
  async get<T extends TypeName<Own>>(id: string, type: T, options?: CallOptions): Promise<Run<T, OutputOf<Own, T>>>;
  async get(id: string, type?: undefined, options?: CallOptions): Promise<Run<string | null>>;
  async get(id: string, type?: string, options: CallOptions = {}): Promise<Run<string | null>> {
    const view = await this.transport.runs.get(id, options);
    if (type !== undefined && view.type !== type) throw invalid('type', type, `${view.type}, as the run ${id} has`);
    return new Run(this.transport.runs, id, view.type);
  }

  /**
   * Runs, newest first, a page (1 to 100, default 20) at a time; `after` of a page leads to the next, and is null after the last.
   * @throws MillraceError INVALID_REQUEST, RUN_NOT_FOUND.
   */
  async list(
    { limit = 20, after }: { readonly limit?: number; readonly after?: string | undefined } = {},
    options: CallOptions = {},
  ): Promise<RunPage> {
    return await this.transport.runs.list({ limit, after }, options);
  }
}

/** What the API would take for something else. */
function checkOptions({ completionWindow, metadata }: Required<Pick<RunOptions, 'completionWindow' | 'metadata'>>) {
  if (!windowForm.test(completionWindow)) throw invalid('completionWindow', completionWindow, 'such as 90m, 24h or 7d');
  const taken = Object.keys(metadata).find((name) => ownNames.includes(name));
  if (taken !== undefined) throw invalid(`metadata.${taken}`, taken, 'another name');
}

function invalid(path: string, value: string, expected: string): MillraceError {
  const problem = { path, got: JSON.stringify(value), expected, remedy: 'Change it.' };
  const detail = `${path}: got ${problem.got}, expected ${expected}.`;
  return new MillraceError('INVALID_REQUEST', detail, { problems: [problem] });
}
