import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import { jobData, jobOptions, type TaskQueue } from '@millrace/shared/queues';
import type { Collections } from '@millrace/shared/redis/collections';
import { withRedis } from '@millrace/shared/redis/connection';
import type { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import type { TaskIndex } from '@millrace/shared/redis/task-index';
import { newTaskId } from '@millrace/shared/tasks/ids';
import { type Door, type ParsedTask, parseTask } from '@millrace/shared/tasks/parse';
import { type Family, families, type JobData } from '@millrace/shared/tasks/task';
import type { AdmissionGate } from './admission.ts';
import { owedByTask } from './admission-look.ts';
import { collectionRefusal, readingOnce } from './collection-check.ts';
import type { ModelCheck } from './model-check.ts';
import type { WebhookCheck } from './webhook-check.ts';

interface EnqueueParams {
  readonly door: Door;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly gate: AdmissionGate;
  readonly models: ModelCheck;
  readonly collections: Collections;
  readonly webhooks: WebhookCheck;
  readonly pending: PendingWebhooks;
  readonly index: TaskIndex;
  readonly now: () => number;
}

/** The ready job of a task, before it is added. */
export interface PreparedTask {
  readonly id: string;
  readonly family: Family;
  readonly task: ParsedTask;
}

/** A job that Redis has. */
interface AddedJob {
  readonly jobId: string;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly data: JobData;
}

/** Tasks in one MULTI; more would hold Redis too long at once. */
const addedAtOnce = 500;

/** Puts tasks into their queues: parse -> admit -> add. It answers only after Redis has them. */
export class Enqueuer {
  private readonly params: EnqueueParams;

  constructor(params: EnqueueParams) {
    this.params = params;
  }

  /**
   * Checks a task and gives it its id; nothing is sent yet, so that a waiter can be put up first.
   * @throws MillraceError INVALID_INPUT, INPUT_TOO_LARGE, UNSUPPORTED_TASK_TYPE.
   */
  prepare(submitted: unknown): PreparedTask {
    const task = parseTask(this.params.door, submitted);
    const { family } = task.taskType;
    return { id: newTaskId(family), family, task };
  }

  /**
   * Adds one prepared task.
   * @throws MillraceError REDIS_UNAVAILABLE (whether it was added is not known), QUEUE_FULL.
   */
  async add(prepared: PreparedTask): Promise<void> {
    const [refusal] = await this.refusals([prepared]);
    if (refusal !== undefined) throw refusal;
    await this.noteWebhooks(prepared.family, [prepared]);
    const { name, data, opts } = this.job(prepared);
    const job = await withRedis(() => this.queueOf(prepared.family).add(name, data, opts));
    await this.list(prepared.family, [{ jobId: prepared.id, createdAt: job.timestamp, data }]);
  }

  /** Adds prepared tasks; the answer has those that failed, by id. Adding one again that is there changes nothing. */
  async addPrepared(prepared: readonly PreparedTask[]): Promise<Map<string, MillraceError>> {
    const failures = new Map<string, MillraceError>();
    // Side by side: with a Redis that hangs, one family after the other would take a time limit each.
    await Promise.all(
      families.map(async (family) => {
        const ofFamily = prepared.filter((entry) => entry.family === family);
        for (let start = 0; start < ofFamily.length; start += addedAtOnce) {
          const some = ofFamily.slice(start, start + addedAtOnce);
          try {
            const admitted = await this.admitted(some, failures);
            if (admitted.length === 0) continue;
            await this.addSome(family, admitted);
          } catch (error) {
            const failure = toMillraceError(error);
            for (const { id } of some) if (!failures.has(id)) failures.set(id, failure);
          }
        }
      }),
    );
    return failures;
  }

  private async addSome(family: Family, prepared: readonly PreparedTask[]): Promise<void> {
    await this.noteWebhooks(family, prepared);
    const entries = prepared.map((entry) => this.job(entry));
    const jobs = await withRedis(() => this.queueOf(family).addBulk(entries));
    const added = entries.map(({ data, opts }, index) => ({
      jobId: opts.jobId ?? '',
      createdAt: jobs[index]?.timestamp ?? this.params.now(),
      data,
    }));
    await this.list(family, added);
  }

  /** Before the jobs are there: whoever dies in between leaves a note of nothing, and never a job without its note. */
  private async noteWebhooks(family: Family, prepared: readonly PreparedTask[]): Promise<void> {
    const told = prepared.flatMap(({ id, task }) => {
      const { webhook } = task.options;
      return webhook === undefined ? [] : [{ jobId: id, url: webhook.url }];
    });
    if (told.length > 0) await withRedis(() => this.params.pending.note(family, told, this.params.now()));
  }

  /** Tasks are accepted whether the lists know them or not: if Redis goes away over it, the worker adds them as it pulls. */
  private async list(family: Family, jobs: readonly AddedJob[]): Promise<void> {
    const entries = jobs.map(({ jobId, createdAt, data: { tags, expiresAt } }) => ({
      jobId,
      createdAt,
      tags: tags ?? [],
      expiresAt,
    }));
    await this.params.index.add(family, entries).catch(() => {});
  }

  /** Those that there is room for; the others are noted as failures. */
  private async admitted(
    prepared: readonly PreparedTask[],
    failures: Map<string, MillraceError>,
  ): Promise<PreparedTask[]> {
    const refusals = await this.refusals(prepared);
    return prepared.filter(({ id }, index) => {
      const refusal = refusals[index];
      if (refusal !== undefined) failures.set(id, refusal);
      return refusal === undefined;
    });
  }

  /**
   * Why tasks cannot be taken, one by one: no worker has the model, the collection is another, the webhook may not be, or there is
   * no room.
   */
  private async refusals(prepared: readonly PreparedTask[]): Promise<(MillraceError | undefined)[]> {
    const { models, gate, collections, webhooks } = this.params;
    const check = { ...this.params, collections: readingOnce(collections) };
    const unsuited = await Promise.all(
      prepared.map(
        async ({ task }) =>
          (await models.refusal(task)) ??
          (await collectionRefusal(check, task)) ??
          (await webhooks.refusal(task.options.webhook)),
      ),
    );
    const full = await gate.admit(prepared.filter((_, index) => unsuited[index] === undefined));
    return unsuited.map((refusal) => refusal ?? full.shift());
  }

  private job({ id, task }: PreparedTask) {
    return {
      name: task.taskType.type,
      data: jobData(task.input, task.options, this.params.now()),
      opts: jobOptions(id, task.options, owedByTask(task)),
    };
  }

  private queueOf(family: Family): TaskQueue {
    const queue = this.params.queues.get(family);
    if (queue === undefined) throw new MillraceError('INTERNAL', `no queue is open for the family ${family}`);
    return queue;
  }
}
