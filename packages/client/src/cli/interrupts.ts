import { exitCodes } from './exit-codes.ts';
import { Interrupted } from './refusal.ts';

/** Ctrl-C and SIGTERM: the first asks to stop in order, the second leaves at once. */
export class Interrupts {
  private readonly controller = new AbortController();
  private readonly leave: (exitCode: number) => void;

  /** `leave` ends the process. */
  constructor(leave: (exitCode: number) => void) {
    this.leave = leave;
  }

  /** Aborted with `Interrupted` by the first. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  note(): void {
    if (this.signal.aborted) this.leave(exitCodes.interrupted);
    else this.controller.abort(new Interrupted());
  }
}
