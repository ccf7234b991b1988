import type { BulkOutcome, Enqueuer } from '@millrace/client/enqueue';
import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { Metrics } from '@millrace/shared/metrics';
import { z } from 'zod';
import { problemOf, problemSchema } from '../problem.ts';

/** What became of one task of a bulk request. */
export const bulkItemSchema = z.union([
  z.object({ index: z.int(), status: z.literal(202), id: z.string(), type: z.string() }),
  z.object({ index: z.int(), status: z.int(), error: problemSchema }),
]);
type BulkItem = z.infer<typeof bulkItemSchema>;

/** A task of a bulk request, or why it is none. */
export type BulkEntry = { readonly task: unknown } | { readonly error: MillraceError };

/** Problems that are told of one task; ten thousand bad tasks would otherwise make an answer of gigabytes. */
const problemsTold = 20;

/**
 * Enqueues the tasks of one bulk request part by part and keeps what became of each, in order. Once Redis was away the rest is
 * checked but no longer sent: each try could take seconds, and the caller repeats those tasks anyway.
 */
export class BulkIntake {
  readonly items: BulkItem[] = [];
  private readonly enqueuer: Enqueuer;
  private readonly metrics: Metrics;
  private away: MillraceError | undefined;
  private unsent = 0;

  constructor(enqueuer: Enqueuer, metrics: Metrics) {
    this.enqueuer = enqueuer;
    this.metrics = metrics;
  }

  get size(): number {
    return this.items.length;
  }

  /** Set when Redis was away for every single task: then the request as a whole has failed. */
  get failure(): MillraceError | undefined {
    return this.unsent === this.items.length ? this.away : undefined;
  }

  async take(entries: readonly BulkEntry[]): Promise<void> {
    const tasks = entries.flatMap((entry) => ('task' in entry ? [entry.task] : []));
    const outcomes =
      this.away === undefined ? await this.enqueuer.addMany(tasks) : tasks.map((task) => this.check(task));
    const results = outcomes.values();
    for (const entry of entries) {
      const outcome = 'task' in entry ? results.next().value : entry;
      if (outcome !== undefined) this.note(outcome);
    }
  }

  private check(task: unknown): BulkOutcome {
    try {
      this.enqueuer.prepare(task);
      return { error: this.away ?? new MillraceError('REDIS_UNAVAILABLE', 'Redis did not answer.') };
    } catch (error) {
      return { error: toMillraceError(error) };
    }
  }

  private note(outcome: BulkOutcome): void {
    const index = this.items.length;
    if (!('error' in outcome)) {
      this.metrics.count('millrace_tasks_enqueued_total', { type: outcome.type });
      this.items.push({ index, status: 202, id: outcome.id, type: outcome.type });
      return;
    }
    const { error } = outcome;
    if (error.code === 'REDIS_UNAVAILABLE') {
      this.away ??= error;
      this.unsent += 1;
    }
    this.metrics.count('millrace_tasks_refused_total', { code: error.code });
    const problem = problemOf(error);
    if (problem.problems !== undefined) problem.problems = problem.problems.slice(0, problemsTold);
    this.items.push({ index, status: problem.status, error: problem });
  }
}
