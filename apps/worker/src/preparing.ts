import { MillraceError, parseFailedReason, toMillraceError } from '@millrace/shared/errors';
import { jobOptions, type TaskQueue } from '@millrace/shared/queues';
import type { Collections } from '@millrace/shared/redis/collections';
import type { Redis } from '@millrace/shared/redis/connection';
import type { Keys } from '@millrace/shared/redis/keys';
import { assembleOutput, type ResultStore } from '@millrace/shared/redis/results';
import { readTaskRecords, type TaskRecord } from '@millrace/shared/redis/task-record';
import type { Catalog } from '@millrace/shared/tasks/catalog';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { ParsedJob } from '@millrace/shared/tasks/parse';
import type { ChildTask } from '@millrace/shared/tasks/preparation';
import type { Family, JobData } from '@millrace/shared/tasks/task';
import { type Job, WaitingChildrenError } from 'bullmq';
import type { TaskEnd } from './process/held-task.ts';

interface PreparerParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly catalog: Catalog;
  readonly collections: Collections;
  readonly results: ResultStore;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
}

/** A task that may be computed, with all that it needs in its input, or the reason why it cannot. */
export interface Prepared {
  readonly parsed: ParsedJob;
  readonly failure?: TaskEnd;
}

/** A child as it stands. */
interface Child {
  readonly task: ChildTask;
  readonly ref: TaskRef;
  readonly record: TaskRecord | undefined;
  /** Its output, once it has succeeded and as long as it is kept. */
  readonly output: Record<string, unknown> | undefined;
}

/** How long a child's result is kept at the longest: its parent reads it soon, or makes it again; ms. */
const childResultMs = 3_600_000;

/**
 * Brings what tasks need before they can be computed: the collection that they name, and the outputs of their children. What is
 * missing is added, by ids that are always the same, and the task waits for it: however often it is looked at again, by
 * whichever worker, it goes on where it was. Children skip admission, for their parent was admitted with what they take.
 */
export class Preparer {
  private readonly params: PreparerParams;

  constructor(params: PreparerParams) {
    this.params = params;
  }

  /** Whether a task needs anything at all. */
  concerns({ taskType, input }: ParsedJob): boolean {
    return taskType.collection(input) !== undefined;
  }

  /** @throws WaitingChildrenError when it waits for its children: BullMQ brings it back when they have ended. */
  async prepare(job: Job, ref: TaskRef, parsed: ParsedJob): Promise<Prepared> {
    try {
      return { parsed: { ...parsed, input: await this.inputOf(job, ref, parsed) } };
    } catch (error) {
      if (error instanceof WaitingChildrenError) throw error;
      const { code, message } = toMillraceError(error);
      return { parsed, failure: { kind: 'failed', code, message, items: [] } };
    }
  }

  private async inputOf(job: Job, ref: TaskRef, { taskType, input, data }: ParsedJob): Promise<unknown> {
    const use = taskType.collection(input);
    const collection = use === undefined ? undefined : await this.params.collections.read(use.name);
    if (use !== undefined && collection === undefined) {
      throw new MillraceError('COLLECTION_NOT_FOUND', `There is no collection ${use.name}.`);
    }
    const known = new Map<string, Child>();
    for (;;) {
      const outputOf = (name: string) => known.get(name)?.output;
      const preparation = taskType.prepare(input, { collection, outputOf });
      if (preparation.ready) return preparation.input;
      const children = await this.look(ref, preparation.children);
      const failed = children.filter(({ record }) => record?.place === 'failed');
      if (failed.length > 0) throw await this.failureOf(failed);
      for (const child of children) if (child.output !== undefined) known.set(child.task.name, child);
      const missing = children.filter((child) => child.output === undefined);
      if (missing.length === 0) continue;
      await Promise.all(missing.map((child) => this.addUnlessThere(job, data, child)));
      // False when they have all ended meanwhile.
      if (await job.moveToWaitingChildren(job.token ?? '')) throw new WaitingChildrenError();
    }
  }

  private async look(parent: TaskRef, tasks: readonly ChildTask[]): Promise<Child[]> {
    return await Promise.all(
      tasks.map(async (task): Promise<Child> => {
        const ref = { family: this.familyOf(task), jobId: childId(parent, task) };
        const [record] = await readTaskRecords(this.params, { family: ref.family, jobIds: [ref.jobId] }, false);
        const output = record?.place === 'completed' ? await this.outputOf(ref, record.attemptsStarted) : undefined;
        return { task, ref, record, output };
      }),
    );
  }

  private async outputOf(ref: TaskRef, attempt: number): Promise<Record<string, unknown> | undefined> {
    const read = await this.params.results.read(ref, attempt);
    if (read?.outcome.status !== 'succeeded') return undefined;
    const { output, vectorsField } = read.outcome;
    return assembleOutput({ output, vectorsField, vectors: read.vectors });
  }

  /** One that has succeeded and whose result is not kept any more is made anew. */
  private async addUnlessThere(
    job: Job,
    { expiresAt, tags, timeoutMs }: JobData,
    { task, ref, record }: Child,
  ): Promise<void> {
    const queue = this.queueOf(ref.family);
    if (record?.place === 'completed') await queue.remove(ref.jobId);
    else if (record !== undefined) return;
    const data: JobData = {
      v: 1,
      input: task.input,
      resultTtlMs: childResultMs,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(tags === undefined ? {} : { tags }),
    };
    await queue.add(task.type, data, {
      ...jobOptions(ref.jobId, job.priority > 0 ? { priority: job.priority } : {}),
      parent: { id: job.id ?? '', queue: job.queueQualifiedName },
      // Otherwise the parent would wait for ever for a child that failed.
      ignoreDependencyOnFailure: true,
    });
  }

  /** The parent fails for the same reason; the children that failed are forgotten, so that a retry makes them anew. */
  private async failureOf(children: readonly Child[]): Promise<MillraceError> {
    const [first] = children;
    const { code, detail } = parseFailedReason(first?.record?.failedReason ?? '');
    for (const { ref } of children) await this.queueOf(ref.family).remove(ref.jobId);
    return new MillraceError(code, `${first?.task.type} (${first?.task.name}): ${detail}`);
  }

  private familyOf({ type }: ChildTask): Family {
    const taskType = this.params.catalog.get(type);
    if (taskType === undefined) throw new Error(`a child of the unknown type ${type}`);
    return taskType.family;
  }

  private queueOf(family: Family): TaskQueue {
    const queue = this.params.queues.get(family);
    if (queue === undefined) throw new Error(`no queue is open for the family ${family}`);
    return queue;
  }
}

/** BullMQ takes no colon in an id of ours; the runs of schedules have some. */
function childId({ jobId }: TaskRef, { name }: ChildTask): string {
  return `${jobId.replaceAll(':', '-')}-${name}`;
}
