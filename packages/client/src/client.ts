import { toMillraceError } from '@millrace/shared/errors';
import { silentLogger } from '@millrace/shared/logger';
import { type BuiltinType, createCatalog, type InputOf } from '@millrace/shared/tasks/catalog';
import type { TaskOptions } from '@millrace/shared/tasks/task';
import { type EmbedOptions, embedTexts } from './embed.ts';
import { type Mill, openMill } from './mill.ts';
import { Task } from './task.ts';

interface MillraceOptions {
  /** The Redis of the mill, e.g. redis://127.0.0.1:6379. */
  readonly redisUrl: string;
  /** As MILLRACE_PREFIX of the workers; default `{millrace}`. */
  readonly prefix?: string;
}

/** What a Node app enqueues with. Construct one per process, and close it in the end. */
export class Millrace {
  private readonly mill: Mill;

  constructor({ redisUrl, prefix = '{millrace}' }: MillraceOptions) {
    this.mill = openMill({
      redisUrl,
      prefix,
      door: { catalog: createCatalog() },
      log: silentLogger(),
      name: 'millrace:client',
    });
  }

  /**
   * Enqueues one task; when this resolves, Redis has it.
   * @throws MillraceError INVALID_INPUT with every problem at once, INPUT_TOO_LARGE, UNSUPPORTED_TASK_TYPE, QUEUE_FULL,
   * REDIS_UNAVAILABLE (within 3 s).
   */
  async enqueue<T extends BuiltinType>(type: T, input: InputOf<T>, options: TaskOptions = {}): Promise<Task<T>> {
    const prepared = this.mill.enqueuer.prepare({ ...options, type, input });
    await this.mill.enqueuer.add(prepared);
    return new Task(this.mill, prepared.id, type);
  }

  /**
   * Enqueues many tasks of one type in few round trips; all or an error that says which failed first.
   * @throws MillraceError as `enqueue` does; tasks before the one that failed may have been accepted.
   */
  async enqueueMany<T extends BuiltinType>(
    type: T,
    inputs: readonly InputOf<T>[],
    options: TaskOptions = {},
  ): Promise<Task<T>[]> {
    const outcomes = await this.mill.enqueuer.addMany(inputs.map((input) => ({ ...options, type, input })));
    return outcomes.map((outcome) => {
      if ('error' in outcome) throw toMillraceError(outcome.error);
      return new Task(this.mill, outcome.id, type);
    });
  }

  /**
   * The vectors of any number of texts, in order; they are split into tasks by themselves.
   * @throws MillraceError of the first task that fails.
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return await embedTexts(
      (batch, taskOptions) => this.enqueue('inference.embed', batch, taskOptions),
      texts,
      options,
    );
  }

  /** Ends the connections; tasks go on. */
  async close(): Promise<void> {
    await this.mill.close();
  }
}
