import type { MillraceError } from '@millrace/shared/errors';
import type { MapOutcome } from './map.ts';

/** One input on its way. */
export class MapEntry<Input, Output> {
  readonly index: number;
  readonly input: Input;
  /** Rejects with what ends the whole iteration. */
  readonly outcome: Promise<MapOutcome<Input, Output>>;
  /** Of its task, once that is accepted. */
  id: string | undefined;
  ended = false;
  private settle: (outcome: MapOutcome<Input, Output>) => void = () => {};
  private reject: (error: unknown) => void = () => {};

  constructor(index: number, input: Input) {
    this.index = index;
    this.input = input;
    this.outcome = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.reject = reject;
    });
    // An iteration that has ended takes no more outcomes.
    this.outcome.catch(() => {});
  }

  succeed(output: Output): void {
    this.ended = true;
    this.settle({ index: this.index, input: this.input, id: this.id, status: 'succeeded', output });
  }

  fail(error: MillraceError): void {
    this.ended = true;
    this.settle({ index: this.index, input: this.input, id: this.id, status: 'failed', error });
  }

  /** Ends the iteration when it comes to this input. */
  end(error: unknown): void {
    this.reject(error);
  }
}
