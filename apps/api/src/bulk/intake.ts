import { enqueueOnce, type KeyedTask, type OnceOutcome } from '@millrace/client/enqueue-once';
import type { Mill } from '@millrace/client/mill';
import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { Metrics } from '@millrace/shared/metrics';
import { z } from 'zod';
import { problemOf, problemSchema } from '../problem.ts';
import { keyedTask } from './keyed-task.ts';

/** What became of one task of a bulk request. */
export const bulkItemSchema = z.union([
  z.object({ index: z.int(), status: z.literal(202), id: z.string(), type: z.string() }),
  z.object({ index: z.int(), status: z.int(), error: problemSchema }),
]);
type BulkItem = z.infer<typeof bulkItemSchema>;

/** A task of a bulk request, or why it is none. */
export type BulkEntry = { readonly task: unknown } | { readonly error: MillraceError };

interface IntakeParams {
  readonly mill: Mill;
  readonly metrics: Metrics;
  /** Whose keys those of the tasks are. */
  readonly caller: string;
}

/** Problems that are told of one task; ten thousand bad tasks would otherwise make an answer of gigabytes. */
const problemsTold = 20;

/**
 * Enqueues the tasks of one bulk request part by part and keeps what became of each, in order. Once Redis was away the rest is
 * checked but no longer sent: each try could take seconds, and the caller repeats those tasks anyway.
 */
export class BulkIntake {
  readonly items: BulkItem[] = [];
  private readonly params: IntakeParams;
  private away: MillraceError | undefined;
  private unsent = 0;

  constructor(params: IntakeParams) {
    this.params = params;
  }

  get size(): number {
    return this.items.length;
  }

  /** Set when Redis was away for every single task: then the request as a whole has failed. */
  get failure(): MillraceError | undefined {
    return this.unsent === this.items.length ? this.away : undefined;
  }

  async take(entries: readonly BulkEntry[]): Promise<void> {
    const { mill, caller } = this.params;
    const keyed = entries.map((entry) => ('task' in entry ? keyedTask(entry.task, caller) : entry));
    const tasks = keyed.filter((entry): entry is KeyedTask => 'submitted' in entry);
    const outcomes = this.away === undefined ? await enqueueOnce(mill, tasks) : tasks.map((task) => this.check(task));
    const results = outcomes.values();
    for (const entry of keyed) {
      const outcome = 'submitted' in entry ? results.next().value : entry;
      if (outcome !== undefined) this.note(outcome);
    }
  }

  private check({ submitted }: KeyedTask): OnceOutcome {
    try {
      this.params.mill.enqueuer.prepare(submitted);
      return { error: this.away ?? new MillraceError('REDIS_UNAVAILABLE', 'Redis did not answer.') };
    } catch (error) {
      return { error: toMillraceError(error) };
    }
  }

  private note(outcome: OnceOutcome): void {
    const { metrics } = this.params;
    const index = this.items.length;
    if (!('error' in outcome)) {
      if (!outcome.known) metrics.count('millrace_tasks_enqueued_total', { type: outcome.type });
      this.items.push({ index, status: 202, id: outcome.id, type: outcome.type });
      return;
    }
    const { error } = outcome;
    if (error.code === 'REDIS_UNAVAILABLE') {
      this.away ??= error;
      this.unsent += 1;
    }
    metrics.count('millrace_tasks_refused_total', { code: error.code });
    const problem = problemOf(error);
    if (problem.problems !== undefined) problem.problems = problem.problems.slice(0, problemsTold);
    this.items.push({ index, status: problem.status, error: problem });
  }
}
