import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { RunStatus } from '@millrace/shared/redis/run-record';
import type { RunLineOutcome, RunRequest } from '../run-transport.ts';
import type { RunView } from '../run-view.ts';
import type { TestMill } from './test-mill.ts';
import type { TestTask } from './test-task.ts';

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** An input that became a task, or was refused. */
type Line = { readonly task: TestTask } | { readonly error: MillraceError };

/** A run of the test double: all of its tasks are enqueued at once. */
export class TestRun {
  readonly id: string;
  private readonly mill: TestMill;
  private readonly request: RunRequest;
  private readonly createdAt: number;
  private readonly lines: readonly Line[];
  /** Tasks that its own end took away. */
  private readonly undone = new Set<Line>();
  private ending: { readonly state: RunStatus; readonly at: number } | undefined;

  constructor(mill: TestMill, request: RunRequest, inputs: readonly unknown[]) {
    this.id = `batch_${String(mill.runs.length + 1).padStart(12, '0')}`;
    this.mill = mill;
    this.request = request;
    this.createdAt = mill.now;
    this.lines = inputs.map((input) => this.enqueue(input));
    if (inputs.length === 0) this.end('failed');
  }

  /** @throws MillraceError RUN_ENDED. */
  cancel(): void {
    const { state } = this.view();
    if (this.ending !== undefined) throw new MillraceError('RUN_ENDED', `The run ${this.id} is ${state}.`);
    this.end('cancelled');
  }

  view(): RunView {
    this.look();
    const { priority, type, metadata } = this.request;
    const done = this.outcomes();
    const failed = done.filter((outcome) => 'error' in outcome).length;
    const hasNoLines = this.lines.length === 0;
    const fault = { code: 'empty_file', message: 'The input file has no lines.', line: null, param: null };
    return {
      id: this.id,
      type,
      state: this.ending?.state ?? 'in_progress',
      counts: { total: this.lines.length, succeeded: done.length - failed, failed },
      linesPerSecond: null,
      leftMs: null,
      blocked: null,
      errors: hasNoLines ? [fault] : [],
      createdAt: iso(this.createdAt),
      startedAt: iso(this.createdAt),
      endedAt: this.ending === undefined ? null : iso(this.ending.at),
      expiresAt: iso(this.expiresAt),
      priority: String(priority),
      metadata,
      files: { input: null, output: null, errors: null },
    };
  }

  /** What has ended, by its place. */
  outcomes(): RunLineOutcome[] {
    return this.lines.flatMap((line, index): RunLineOutcome[] => {
      if ('error' in line) return [{ index, error: line.error }];
      const { ending } = line.task;
      if (ending === undefined || this.undone.has(line)) return [];
      return [ending.state === 'succeeded' ? { index, output: ending.output } : { index, error: ending.error }];
    });
  }

  private enqueue(input: unknown): Line {
    const { type, taskOptions, priority } = this.request;
    try {
      return { task: this.mill.enqueue({ ...taskOptions, priority, type, input }) };
    } catch (error) {
      return { error: toMillraceError(error) };
    }
  }

  private get expiresAt(): number {
    const [, count, unit] = /^(\d+)([smhd])$/.exec(this.request.completionWindow) ?? [];
    return this.createdAt + Number(count) * unitsMs[unit as keyof typeof unitsMs];
  }

  /** Ends it if it is time. */
  private look(): void {
    if (this.ending !== undefined) return;
    if (this.lines.every((line) => 'error' in line || line.task.hasEnded)) this.end('completed');
    else if (this.mill.now >= this.expiresAt) this.end('expired');
  }

  private end(state: RunStatus): void {
    this.ending = { state, at: this.mill.now };
    for (const line of this.lines) {
      if ('error' in line || line.task.hasEnded) continue;
      this.undone.add(line);
      const error = new MillraceError('CANCELLED', `Its run ${this.id} is ${state}.`);
      this.mill.end(line.task, { state: 'cancelled', error });
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
