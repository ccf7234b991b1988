import { pause } from '@millrace/client/abortable';
import { endsWithin } from '@millrace/client/ends-within';
import type { PreparedTask } from '@millrace/client/enqueue';
import type { Mill } from '@millrace/client/mill';
import type { TaskResult } from '@millrace/client/read';
import type { Watch } from '@millrace/client/waiting';
import { isErrorCode, MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { Run } from '@millrace/shared/redis/run-record';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { endedStates, type TaskView } from '@millrace/shared/tasks/task';
import { contentDigest, runTaskId } from './run-task-id.ts';
import { TaskAdder } from './task-adder.ts';

/** What a line, or some, wants computed. */
export interface RunTask {
  readonly submitted: Readonly<Record<string, unknown>> & { readonly type: string; readonly input: unknown };
  /** The line that it begins with, and what tells it from other tasks of the same line. */
  readonly line: number;
  readonly part: string;
}

/** `undone`: the run ends, and the task had not. */
export type RunTaskOutcome =
  | { readonly kind: 'succeeded'; readonly result: Pick<TaskResult, 'output' | 'vectorsField' | 'vectors'> }
  | { readonly kind: 'failed'; readonly error: MillraceError }
  | { readonly kind: 'undone' };

interface TaskRunnerParams {
  readonly mill: Mill;
  readonly run: Pick<Run, 'id' | 'createdAt' | 'priority'>;
  /** The run ends: nothing is added any more, what has not ended is cancelled. */
  readonly ending: boolean;
  readonly signal: AbortSignal;
}

/** A result that is lost again and again is not computed for ever. */
const mostGenerations = 3;
const mostTags = 8;
/** When a refusal does not say when to come again; ms. */
const defaultRetryMs = 1000;
/** The longest that a timer of Node takes, in ms: the run's own time is over before. */
const forEver = 2 ** 31 - 1;

/**
 * Has the tasks of a run computed. The id of a task says what it is, so one that is there already, waiting or ended, is met and
 * not done again. Its signal ends every wait with its reason.
 */
export class TaskRunner {
  private readonly params: TaskRunnerParams;
  private readonly adder: TaskAdder;

  constructor(params: TaskRunnerParams) {
    this.params = params;
    this.adder = new TaskAdder(params.mill.enqueuer);
  }

  /**
   * Runs a task to its end. `met` is told each task of the queue that it took, to be forgotten once the outcome is safe.
   * @throws the reason of the signal, MillraceError REDIS_UNAVAILABLE, CLOSED.
   */
  async run(task: RunTask, met: (ref: TaskRef) => void): Promise<RunTaskOutcome> {
    let prepared: PreparedTask;
    try {
      prepared = this.params.mill.enqueuer.prepare(this.submission(task));
    } catch (error) {
      return { kind: 'failed', error: toMillraceError(error) };
    }
    const content = contentDigest(task.submitted);
    for (let generation = 0; generation < mostGenerations; generation += 1) {
      const { id: runId, createdAt } = this.params.run;
      const { line, part } = task;
      const id = runTaskId(prepared.family, { runId, createdAt, line, part, generation, content });
      met({ family: prepared.family, jobId: id });
      const outcome = await this.attend({ ...prepared, id });
      if (outcome !== 'lost') return outcome;
    }
    const detail = `The result was no longer kept when it was to be read, ${mostGenerations} times.`;
    return { kind: 'failed', error: new MillraceError('RESULT_EXPIRED', detail) };
  }

  private submission({ submitted }: RunTask): unknown {
    const { id, priority } = this.params.run;
    const given = submitted['tags'];
    const tags = Array.isArray(given) ? given : [];
    return { priority, ...submitted, tags: tags.length < mostTags ? [...tags, id] : tags };
  }

  /** Meets a task or adds it, and waits for its end. */
  private async attend(prepared: PreparedTask): Promise<RunTaskOutcome | 'lost'> {
    const { mill, ending } = this.params;
    const ref = { family: prepared.family, jobId: prepared.id };
    for (;;) {
      const watch = await mill.waiting.watch(ref);
      try {
        const state = await mill.reader.ending(ref);
        if (state === 'gone') {
          if (ending) return { kind: 'undone' };
          const refusal = await this.adder.add(prepared);
          if (refusal?.code === 'QUEUE_FULL') {
            // Others were refused at the same time: they should not come again together.
            await pause((refusal.retryAfterMs ?? defaultRetryMs) * (0.75 + Math.random() / 2), this.params.signal);
            continue;
          }
          if (refusal?.code === 'REDIS_UNAVAILABLE') throw refusal;
          if (refusal !== undefined) return { kind: 'failed', error: refusal };
        }
        if (state === 'open' && ending) await this.cancel(prepared.id);
        if (state !== 'ended') await endsWithin(watch, { timeoutMs: forEver, signal: this.params.signal });
        const outcome = await this.read(prepared.id, watch);
        // Somebody tries it again, or took it away.
        if (outcome !== 'open' && outcome !== 'gone') return outcome;
      } finally {
        watch.stop();
      }
    }
  }

  private async read(id: string, watch: Watch): Promise<RunTaskOutcome | 'lost' | 'open' | 'gone'> {
    const { reader } = this.params.mill;
    const told = watch.told();
    const result = told?.kind === 'completed' ? await reader.outputOf(told.data) : undefined;
    if (result !== undefined) return { kind: 'succeeded', result };
    try {
      const found = await reader.viewWithResult(id);
      if (!endedStates.includes(found.view.state)) return 'open';
      if (found.view.state !== 'succeeded') return this.failed(found.view);
      return found.result === undefined ? 'lost' : { kind: 'succeeded', result: found.result };
    } catch (error) {
      const { code } = toMillraceError(error);
      if (code === 'TASK_NOT_FOUND') return 'gone';
      if (code === 'RESULT_EXPIRED') return 'lost';
      throw error;
    }
  }

  private failed({ error, state }: TaskView): RunTaskOutcome {
    // Cancelled by this run, which ends.
    if (this.params.ending && state === 'cancelled') return { kind: 'undone' };
    const { code = 'PROCESSOR_FAILED', message = `It ${state}.`, problems = [] } = error ?? {};
    return {
      kind: 'failed',
      error: new MillraceError(isErrorCode(code) ? code : 'PROCESSOR_FAILED', message, { problems }),
    };
  }

  /** It may end meanwhile, or be a part of another: what comes is waited for. */
  private async cancel(id: string): Promise<void> {
    try {
      await this.params.mill.steering.cancel(id);
    } catch (error) {
      if (toMillraceError(error).code === 'REDIS_UNAVAILABLE') throw error;
    }
  }
}
