import { MillraceError, parseFailedReason } from '@millrace/shared/errors';
import { jobOptions, type TaskQueue } from '@millrace/shared/queues';
import type { Redis } from '@millrace/shared/redis/connection';
import { forgetChild, pendingChildren } from '@millrace/shared/redis/job-links';
import type { Keys } from '@millrace/shared/redis/keys';
import { assembleOutput, type ResultStore } from '@millrace/shared/redis/results';
import { readTaskRecord, type TaskRecord } from '@millrace/shared/redis/task-record';
import type { Catalog } from '@millrace/shared/tasks/catalog';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import type { ChildTask } from '@millrace/shared/tasks/preparation';
import type { Family, JobData } from '@millrace/shared/tasks/task';
import type { Job } from 'bullmq';

interface ChildrenParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly catalog: Catalog;
  readonly results: ResultStore;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  /** ms since 1970. */
  readonly now: () => number;
}

/** A child as it stands. */
export interface Child {
  readonly task: ChildTask;
  readonly ref: TaskRef;
  readonly record: TaskRecord | undefined;
  /** Its output, once it has succeeded and as long as it is kept. */
  readonly output: Record<string, unknown> | undefined;
}

/** A job that waits for children, and what they take over from it. */
export interface Parent {
  readonly job: Job;
  readonly ref: TaskRef;
  readonly data: JobData;
}

/** How long a child's result is kept at the longest: its parent reads it soon, or makes it again; ms. */
const childResultMs = 3_600_000;

/**
 * The children of tasks, as jobs of BullMQ: by ids that are always the same, so whoever looks at a parent again finds them. They
 * skip admission, for their parent was admitted with what they take.
 */
export class Children {
  private readonly params: ChildrenParams;

  constructor(params: ChildrenParams) {
    this.params = params;
  }

  async look(parent: TaskRef, tasks: readonly ChildTask[]): Promise<Child[]> {
    return await Promise.all(
      tasks.map(async (task): Promise<Child> => {
        const ref = { family: this.familyOf(task), jobId: childId(parent, task) };
        const record = await readTaskRecord(this.params, ref, false);
        const output = record?.place === 'completed' ? await this.outputOf(ref, record.attemptsStarted) : undefined;
        return { task, ref, record, output };
      }),
    );
  }

  /**
   * Why some have failed; undefined when none has. Those are removed, so that a retry makes them anew, and so are those that
   * were ended with their parent, which has been tried again since.
   */
  async failure({ data }: Parent, children: readonly Child[]): Promise<MillraceError | undefined> {
    const failed = children.filter(({ record }) => record?.place === 'failed');
    await Promise.all(failed.map(({ ref }) => this.remove(ref)));
    const guilty = failed.find((child) => !this.endedWithParent(child, data));
    if (guilty === undefined) return undefined;
    const { code, detail } = reasonOf(guilty);
    return new MillraceError(code, `${guilty.task.type} (${taskIdOf(guilty.ref)}): ${detail}`);
  }

  /**
   * Makes children that are not there, or whose result is not kept any more. With one that is under way BullMQ sees to it that
   * the parent waits for it.
   */
  async add({ job, data }: Parent, { task, ref, record }: Child): Promise<void> {
    if (record?.place === 'completed') await this.remove(ref);
    const { expiresAt, timeoutMs, tags } = data;
    const childData: JobData = {
      v: 1,
      input: task.input,
      resultTtlMs: childResultMs,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(tags === undefined ? {} : { tags }),
    };
    await this.queueOf(ref.family).add(task.type, childData, {
      ...jobOptions(ref.jobId, job.priority > 0 ? { priority: job.priority } : {}),
      parent: { id: job.id ?? '', queue: job.queueQualifiedName },
      // Otherwise the parent would wait for ever for a child that failed.
      ignoreDependencyOnFailure: true,
    });
  }

  /**
   * Whether a parent may wait, or need not: BullMQ counts on being told of every child's end, and is not told when one is ended
   * before it began. Such children are removed, those that are wanted excepted: they are to be looked at again.
   */
  async pending(parent: TaskRef, wanted: readonly Child[]): Promise<'none' | 'alive' | 'ended'> {
    const refs = await pendingChildren(this.params, parent);
    const records = await Promise.all(refs.map((ref) => readTaskRecord(this.params, ref, false)));
    const missing = refs.filter((_, index) => records[index] === undefined);
    await Promise.all(missing.map((ref) => forgetChild(this.params, parent, ref)));
    const ended = refs.filter((_, index) => ['completed', 'failed'].includes(records[index]?.place ?? ''));
    const wantedIds = new Set(wanted.map(({ ref }) => ref.jobId));
    await Promise.all(ended.filter(({ jobId }) => !wantedIds.has(jobId)).map((ref) => this.remove(ref)));
    if (ended.some(({ jobId }) => wantedIds.has(jobId))) return 'ended';
    return refs.length > ended.length + missing.length ? 'alive' : 'none';
  }

  /** Lets go of the results and inputs of children that nobody needs any more. */
  async release(children: readonly Child[]): Promise<void> {
    const { results, now } = this.params;
    const ended = children.flatMap(({ ref, record }) =>
      record === undefined ? [] : [{ ref, attempt: record.attemptsStarted }],
    );
    await results.forget(ended, now());
  }

  private endedWithParent(child: Child, { expiresAt }: JobData): boolean {
    const { code } = reasonOf(child);
    if (code === 'CANCELLED') return true;
    return code === 'EXPIRED' && (expiresAt === undefined || expiresAt > this.params.now());
  }

  private async outputOf(ref: TaskRef, attempt: number): Promise<Record<string, unknown> | undefined> {
    const read = await this.params.results.read(ref, attempt);
    if (read?.outcome.status !== 'succeeded') return undefined;
    const { output, vectorsField } = read.outcome;
    return assembleOutput({ output, vectorsField, vectors: read.vectors });
  }

  private async remove({ family, jobId }: TaskRef): Promise<void> {
    await this.queueOf(family).remove(jobId);
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

function reasonOf({ record }: Child): ReturnType<typeof parseFailedReason> {
  return parseFailedReason(record?.failedReason ?? '');
}

/** BullMQ takes no colon in an id of ours; the runs of schedules have some. */
function childId({ jobId }: TaskRef, { name }: ChildTask): string {
  return `${jobId.replaceAll(':', '-')}-${name}`;
}
