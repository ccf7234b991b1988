import { isDeepStrictEqual } from 'node:util';
import { MillraceError, toMillraceError } from '@millrace/shared/errors';
import { checkKeyForm } from '../idempotency.ts';
import type { Parcel, SendOutcome, Submission } from '../transport.ts';
import type { TestMill } from './test-mill.ts';

interface TestParcelParams {
  readonly mill: TestMill;
  /** Throws what keeps the mill from taking tasks. */
  readonly admit: () => void;
}

/** Tasks for the test double. */
export class TestParcel implements Parcel {
  private readonly params: TestParcelParams;
  private readonly tasks: readonly Submission[];
  private readonly key: string | undefined;
  private readonly outcomes: SendOutcome[] = [];

  constructor(params: TestParcelParams, tasks: readonly Submission[], key: string | undefined) {
    this.params = params;
    this.tasks = tasks;
    this.key = key;
  }

  async send(): Promise<readonly SendOutcome[]> {
    for (const [index, task] of this.tasks.entries()) {
      const outcome = this.outcomes[index];
      if (outcome === undefined || 'error' in outcome) this.outcomes[index] = this.sendOne(task);
    }
    return [...this.outcomes];
  }

  private sendOne(task: Submission): SendOutcome {
    const { mill, admit } = this.params;
    const { keys } = mill;
    try {
      if (this.key !== undefined) checkKeyForm(this.key);
      const kept = this.key === undefined ? undefined : keys.get(this.key);
      if (kept !== undefined && !isDeepStrictEqual(kept.submission, task)) {
        const detail = `The key ${this.key} came with another task before, which is ${kept.id}; nothing was enqueued.`;
        throw new MillraceError('IDEMPOTENCY_MISMATCH', detail);
      }
      if (kept !== undefined) return { id: kept.id };
      admit();
      const { id } = mill.enqueue(task);
      if (this.key !== undefined) keys.set(this.key, { id, submission: structuredClone(task) });
      return { id };
    } catch (error) {
      return { error: toMillraceError(error) };
    }
  }
}
