import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { Collections } from '@millrace/shared/redis/collections';
import type { Keys } from '@millrace/shared/redis/keys';
import type { TaskIndex } from '@millrace/shared/redis/task-index';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { type Door, limitsOf, type ParsedJob } from '@millrace/shared/tasks/parse';
import type { PreparationFacts } from '@millrace/shared/tasks/preparation';
import { type Job, WaitingChildrenError } from 'bullmq';
import type { Child, Children, Parent } from './children.ts';
import type { TaskEnd } from './process/held-task.ts';

interface PreparerParams {
  readonly keys: Keys;
  readonly door: Door;
  readonly collections: Collections;
  readonly children: Children;
  readonly index: TaskIndex;
}

/** A task that may be computed, with all that it needs in its input, or the reason why it cannot. */
export interface Prepared {
  readonly parsed: ParsedJob;
  readonly failure?: TaskEnd;
  /** The children whose outputs are in its input. */
  readonly children: readonly Child[];
}

/**
 * Brings what tasks need before they can be computed: the collection that they name, and the outputs of their children. What is
 * missing is added, and the task waits for it without holding a slot: however often it is looked at again, by whichever worker,
 * it goes on where it was.
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
      return await this.complete({ job, ref, data: parsed.data }, parsed);
    } catch (error) {
      if (error instanceof WaitingChildrenError) throw error;
      const { code, message } = toMillraceError(error);
      return { parsed, failure: { kind: 'failed', code, message, items: [] }, children: [] };
    }
  }

  /** The task has succeeded: what its children gave is not needed any more. It expires by itself when this fails. */
  release({ children }: Prepared): void {
    if (children.length > 0) this.params.children.release(children).catch(() => {});
  }

  private async complete(parent: Parent, parsed: ParsedJob): Promise<Prepared> {
    const known = new Map<string, Child>();
    const facts = await this.facts(parent, parsed, (name) => known.get(name)?.output);
    for (;;) {
      const preparation = parsed.taskType.prepare(parsed.input, facts);
      const wanted = preparation.ready ? [] : await this.look(parent, preparation.children);
      for (const child of wanted) if (child.output !== undefined) known.set(child.task.name, child);
      if (wanted.length > 0 && wanted.every(({ output }) => output !== undefined)) continue;
      // One that never had a child waits for none.
      if (known.size > 0 || wanted.length > 0) await this.waitFor(parent, wanted);
      if (preparation.ready) return { parsed: { ...parsed, input: preparation.input }, children: [...known.values()] };
    }
  }

  private async facts(
    { job, ref }: Parent,
    { taskType, input }: ParsedJob,
    outputOf: PreparationFacts['outputOf'],
  ): Promise<PreparationFacts> {
    const { collections, door, keys } = this.params;
    const use = taskType.collection(input);
    const collection = use === undefined ? undefined : await collections.read(use.name);
    if (use !== undefined && collection === undefined) {
      throw new MillraceError('COLLECTION_NOT_FOUND', `There is no collection ${use.name}.`);
    }
    return {
      collection,
      fence: { key: keys.lock(ref), token: job.token ?? '' },
      limitsOf: (type) => {
        const child = door.catalog.get(type);
        if (child === undefined) throw new Error(`limits of the unknown type ${type}`);
        return limitsOf(door, child);
      },
      outputOf,
    };
  }

  /** The children as they stand; those that are missing are there, or on their way, afterwards. */
  private async look(parent: Parent, tasks: Parameters<Children['look']>[1]): Promise<Child[]> {
    const { children } = this.params;
    const found = await children.look(parent.ref, tasks);
    const failure = await children.failure(parent, found);
    if (failure !== undefined) throw failure;
    const missing = found.filter(({ output }) => output === undefined);
    await Promise.all(missing.map((child) => children.add(parent, child)));
    return found;
  }

  /** Returns when there is nothing to wait for: they have all ended, and are to be looked at again. */
  private async waitFor(parent: Parent, wanted: readonly Child[]): Promise<void> {
    const { job, ref } = parent;
    if ((await this.params.children.pending(ref, wanted)) !== 'alive') return;
    await this.list(parent);
    if (await job.moveToWaitingChildren(job.token ?? '')) throw new WaitingChildrenError();
  }

  /** So that it expires while it waits, whoever enqueued it. Without it the worker lists it as it goes on. */
  private async list({ job, ref, data }: Parent): Promise<void> {
    const createdAt = job.timestamp + (job.opts.delay ?? 0);
    const entry = { jobId: ref.jobId, createdAt, tags: data.tags ?? [], expiresAt: data.expiresAt };
    await this.params.index.add(ref.family, [entry]).catch(() => {});
  }
}
