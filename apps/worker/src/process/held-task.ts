import type { ErrorCode, ItemFailure } from '@millrace/shared/errors';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { ItemOutcome } from '@millrace/shared/tasks/processor';

/**
 * How an attempt of a task ends. `returned`: it had no turn and goes back to the queue, no attempt burnt. `lacking`: this worker
 * has not got what it needs; it is left for others for some time, and fails when none has it.
 */
export type TaskEnd =
  | { readonly kind: 'succeeded'; readonly values: readonly unknown[] }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly items: readonly ItemFailure[];
    }
  | { readonly kind: 'lacking'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'returned' };

/** A call as its tasks remember it; ms since 1970. */
export interface CallRecord {
  readonly id: string;
  readonly items: number;
  /** The tasks that had items in it. */
  readonly tasks: number;
  readonly beganAt: number;
  readonly endedAt: number;
}

interface HeldTaskParams {
  readonly ref: TaskRef;
  readonly taskType: TaskType;
  readonly input: unknown;
  /** The input as JSON, in bytes. */
  readonly inputBytes: number;
  readonly attempt: number;
  readonly startedAttempts: number;
  readonly priority: number;
  /** When it was added; ms since 1970. */
  readonly addedAt: number;
  /** When it could run first: its delay counts. */
  readonly createdAt: number;
  readonly timeoutMs: number;
  readonly expiresAt: number | undefined;
  readonly resultTtlMs: number;
  readonly tags: readonly string[];
  readonly pulledAt: number;
  /** A worker died computing it: each of its items runs alone. */
  readonly suspect: boolean;
}

/**
 * A task that this worker holds, from its pull to its settlement: held -> computing (a first call has begun) -> ended. Its
 * values come in one by one and in any order; it ends with the last of them, or with its first failure.
 */
export class HeldTask {
  readonly params: HeldTaskParams;
  readonly items: readonly unknown[];
  /** The end of this attempt. */
  readonly ended: Promise<TaskEnd>;
  firstCallAt: number | null = null;
  lastCall: CallRecord | null = null;
  /** The calls that carried items of it and ended well, in order of their ends. */
  readonly records: CallRecord[] = [];
  /** The id of the call that carries items of it now, or did last. */
  callId: string | null = null;
  calls = 0;
  done = 0;
  private readonly values: unknown[];
  private resolve: (end: TaskEnd) => void = () => {};
  private hasEnded = false;

  constructor(params: HeldTaskParams) {
    this.params = params;
    this.items = params.taskType.items(params.input);
    this.values = new Array(this.items.length);
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  get isEnded(): boolean {
    return this.hasEnded;
  }

  /** About how many bytes it takes until it is settled: its input and its result. */
  get bytes(): number {
    const { taskType, input, inputBytes } = this.params;
    return inputBytes + taskType.resultBytes(input, inputBytes);
  }

  /** Notes the outcome of one item; the last one, or a failure, ends the task. */
  take(index: number, outcome: ItemOutcome): void {
    if (this.hasEnded) return;
    if (!outcome.ok) {
      const { code, message } = outcome;
      const where = this.items.length > 1 ? `item ${index}: ` : '';
      this.end({ kind: 'failed', code, message: `${where}${message}`, items: [{ index, code }] });
      return;
    }
    this.values[index] = outcome.value;
    this.done += 1;
    if (this.done === this.items.length) this.end({ kind: 'succeeded', values: this.values });
  }

  /** Ends the attempt, once; later ends are ignored. */
  end(end: TaskEnd): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.resolve(end);
  }

  /** A call has carried items of it; one that it joined under way began for it when it was pulled. */
  noteCall(call: CallRecord): void {
    this.firstCallAt ??= Math.max(call.beganAt, this.params.pulledAt);
    this.lastCall = call;
    this.records.push(call);
    this.calls += 1;
  }
}
