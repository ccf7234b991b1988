import type { TaskRef } from '@millrace/shared/tasks/ids';
import { taskIdOf } from '@millrace/shared/tasks/ids';
import { carrierOf, type SpanFacts, type TraceSpan, type Tracing } from '@millrace/shared/tracing';
import type { Job } from 'bullmq';
import type { Preparer } from '../preparing.ts';
import type { CallRecord, HeldTask, TaskEnd } from '../process/held-task.ts';
import type { Settler } from '../settle.ts';

/** What the pull side does with a task at its two ends. */
export type Preparing = Pick<Preparer, 'concerns' | 'prepare' | 'release'>;
export type Settling = Pick<Settler, 'settle' | 'refuse' | 'giveBack'>;

interface TaskTracesParams {
  readonly tracing: Tracing;
  readonly workerId: string;
}

/**
 * Traces of the tasks that a worker holds, drawn when a task is settled from the times that it knows by then. Each attempt is a
 * span `task …` in the trace of who enqueued it, and before it one for its wait in the queue; within it `batched`, one `call` for
 * each call that carried items of it, and `settle`. A call serves many tasks and is drawn in the trace of each, with its id and
 * sizes: viewers show one trace as a waterfall, where a span of the call in a trace of its own would be a link that few follow and
 * that sampling may have thrown away. Who else was in a call is found by its id.
 */
export class TaskTraces {
  private readonly params: TaskTracesParams;
  /** Of the jobs under way, by BullMQ's object of each start. */
  private readonly spans = new WeakMap<Job, TraceSpan>();

  constructor(params: TaskTracesParams) {
    this.params = params;
  }

  /** Children that are added while a task is prepared belong to its trace. */
  preparing(preparer: Preparing): Preparing {
    return {
      concerns: (parsed) => preparer.concerns(parsed),
      release: (prepared) => preparer.release(prepared),
      prepare: async (job, ref, parsed) => {
        const span = this.spanOf(job, ref);
        try {
          return await span.within(() => preparer.prepare(job, ref, parsed));
        } catch (error) {
          span.note({ 'millrace.outcome': 'waits for its children' });
          span.end();
          throw error;
        }
      },
    };
  }

  settling(settler: Settling): Settling {
    return {
      giveBack: (job, family) => settler.giveBack(job, family),
      refuse: async (job, ref, error) => {
        const span = this.spanOf(job, ref);
        span.fail(error.code);
        return await this.settled(span, () => settler.refuse(job, ref, error));
      },
      settle: async (job, task, end) => {
        const span = this.spanOf(job, task.params.ref);
        this.drawWork(span, task);
        noteEnd(span, task, end);
        return await this.settled(span, () => settler.settle(job, task, end));
      },
    };
  }

  /** The span of a job's present start: begun when it was fetched, with its wait before that. */
  private spanOf(job: Job, ref: TaskRef): TraceSpan {
    const known = this.spans.get(job);
    if (known !== undefined) return known;
    const { tracing, workerId } = this.params;
    const carrier = carrierOf(job.opts);
    const pulledAt = job.processedOn ?? Date.now();
    const facts = factsOf(job, ref, workerId);
    const span = tracing.begin(`task ${job.name}`, { kind: 'consumer', carrier, at: pulledAt, facts });
    // Of a later start nobody knows when it began to wait.
    if (carrier !== undefined && job.attemptsStarted <= 1) {
      const readyAt = Math.min(pulledAt, job.timestamp + (job.opts.delay ?? 0));
      tracing.begin('queued', { carrier, at: readyAt, facts: { 'millrace.task.id': taskIdOf(ref) } }).end(pulledAt);
    }
    this.spans.set(job, span);
    return span;
  }

  private drawWork(parent: TraceSpan, task: HeldTask): void {
    const { tracing } = this.params;
    const { pulledAt } = task.params;
    const until = task.firstCallAt ?? Date.now();
    tracing.begin('batched', { parent, at: pulledAt }).end(Math.max(pulledAt, until));
    for (const call of task.records) {
      // One that was under way for others is drawn from when the task joined it.
      const at = Math.max(call.beganAt, pulledAt);
      tracing.begin('call', { parent, at, facts: factsOfCall(call) }).end(Math.max(at, call.endedAt));
    }
  }

  private async settled<T>(parent: TraceSpan, act: () => Promise<T>): Promise<T> {
    const span = this.params.tracing.begin('settle', { parent });
    try {
      return await act();
    } finally {
      span.end();
      parent.end();
    }
  }
}

function factsOf(job: Job, ref: TaskRef, workerId: string): SpanFacts {
  return {
    'millrace.task.id': taskIdOf(ref),
    'millrace.task.type': job.name,
    'millrace.family': ref.family,
    'millrace.attempt': job.attemptsMade + 1,
    'millrace.priority': job.priority,
    'millrace.worker': workerId,
    'messaging.system': 'bullmq',
    'messaging.destination.name': ref.family,
  };
}

function factsOfCall({ id, items, tasks }: CallRecord): SpanFacts {
  return { 'millrace.call.id': id, 'millrace.call.items': items, 'millrace.call.tasks': tasks };
}

function noteEnd(span: TraceSpan, task: HeldTask, end: TaskEnd): void {
  span.note({
    'millrace.outcome': end.kind,
    'millrace.task.items': task.items.length,
    'millrace.task.calls': task.calls,
  });
  if (end.kind === 'failed' || end.kind === 'lacking') span.fail(end.code);
}
