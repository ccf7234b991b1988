import { onAbort } from '@millrace/client/abortable';
import { endsWithin } from '@millrace/client/ends-within';
import type { PreparedTask } from '@millrace/client/enqueue';
import type { Mill } from '@millrace/client/mill';
import { isErrorCode, MillraceError } from '@millrace/shared/errors';
import type { Metrics } from '@millrace/shared/metrics';
import { withRedis } from '@millrace/shared/redis/connection';
import type { Door } from '@millrace/shared/tasks/parse';
import { dimensionsOf, type EmbeddedText, embeddedTexts } from './embedding-answer.ts';
import { checkDimensions, type EmbeddingRequest } from './embedding-request.ts';
import { splitTexts, taskSizeOf } from './split-texts.ts';

interface EmbedderParams {
  readonly mill: Mill;
  readonly door: Door;
  readonly metrics: Metrics;
}

/** Up to so many texts are somebody's question, who waits for the answer: they go ahead of piles. */
const fewTexts = 8;
/** Their results are read at once; ms. */
const resultTtlMs = 120_000;
/** The longest that a request waits, in ms. */
const waitMs = 600_000;
/** How long nobody may live who could do it, and how often that is looked at; ms. */
const withoutWorkerMs = 10_000;
const lookEveryMs = 2000;

/** Embeds the texts of a request while its client waits. */
export class Embedder {
  private readonly params: EmbedderParams;

  constructor(params: EmbedderParams) {
    this.params = params;
  }

  /**
   * The vectors of all texts, in order. When it fails, or its signal ends it, what was begun is cancelled.
   * @throws MillraceError INVALID_REQUEST, MODEL_NOT_AVAILABLE, INPUT_TOO_LARGE, QUEUE_FULL, NO_WORKER, WAIT_TIMEOUT,
   * REDIS_UNAVAILABLE, that of a task which failed; the reason of the signal.
   */
  async embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddedText[]> {
    const over = new AbortController();
    const off = onAbort(signal, () => over.abort(signal.reason));
    const tasks = this.prepare(request);
    const watching = this.watchWorkers(over);
    try {
      const texts = (await Promise.all(tasks.map((task) => this.run(task, over.signal)))).flat();
      const [first] = texts;
      if (first !== undefined) checkDimensions(request, dimensionsOf(first));
      return texts;
    } catch (error) {
      // The others' vectors are of no use to anybody.
      over.abort(error);
      for (const { id } of tasks) void this.params.mill.steering.cancel(id).catch(() => {});
      throw error;
    } finally {
      clearInterval(watching);
      off();
    }
  }

  private prepare({ texts, model }: EmbeddingRequest): PreparedTask[] {
    const { mill, door } = this.params;
    const options = { priority: texts.length <= fewTexts ? 'high' : 'normal', resultTtlMs };
    return splitTexts(texts, taskSizeOf(door)).map((part) =>
      mill.enqueuer.prepare({ type: 'inference.embed', input: { texts: part, model }, ...options }),
    );
  }

  private async run(task: PreparedTask, signal: AbortSignal): Promise<EmbeddedText[]> {
    const { mill, metrics } = this.params;
    const watch = await mill.waiting.watch({ family: task.family, jobId: task.id });
    try {
      const refusal = (await mill.enqueuer.addPrepared([task])).get(task.id);
      if (refusal !== undefined) {
        metrics.count('millrace_tasks_refused_total', { code: refusal.code });
        throw refusal;
      }
      metrics.count('millrace_tasks_enqueued_total', { type: task.task.taskType.type });
      if (!(await endsWithin(watch, { timeoutMs: waitMs, signal }))) {
        throw new MillraceError('WAIT_TIMEOUT', `The texts were not embedded within ${waitMs / 1000} s.`);
      }
      const told = watch.told();
      const result = told?.kind === 'completed' ? await mill.reader.outputOf(told.data) : undefined;
      return embeddedTexts(result ?? (await this.result(task.id)));
    } finally {
      watch.stop();
    }
  }

  private async result(id: string) {
    const { view, result } = await this.params.mill.reader.viewWithResult(id);
    if (result !== undefined) return result;
    const { code = 'RESULT_EXPIRED', message = `The result of task ${id} is no longer kept.` } = view.error ?? {};
    throw new MillraceError(isErrorCode(code) ? code : 'PROCESSOR_FAILED', message);
  }

  /** Aborts with NO_WORKER once no worker has lived for a while. */
  private watchWorkers(over: AbortController): NodeJS.Timeout {
    let livedAt = performance.now();
    const look = async () => {
      const workers = await withRedis(() => this.params.mill.workers.list()).catch(() => undefined);
      // While Redis is away nobody knows; the wait has its own bound.
      if (workers === undefined || workers.some(({ families }) => families.includes('inference'))) {
        livedAt = performance.now();
      }
      const ms = performance.now() - livedAt;
      if (ms < withoutWorkerMs) return;
      const detail = `No worker of the family inference has lived for ${Math.round(ms / 1000)} s.`;
      over.abort(new MillraceError('NO_WORKER', detail, { retryAfterMs: withoutWorkerMs }));
    };
    return setInterval(() => void look(), lookEveryMs);
  }
}
