import { onAbort, timerMs } from '../abortable.ts';

interface Turn {
  /** Ends the wait for a slot early, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Give up after so long; ms. */
  readonly withinMs?: number | undefined;
}

/** Lets so many in at once, the others in the order in which they came. */
export class Slots {
  readonly size: number;
  private taken = 0;
  private readonly queue = new Set<() => void>();

  constructor(size: number) {
    this.size = size;
  }

  /** How many wait for a slot. */
  get waiting(): number {
    return this.queue.size;
  }

  /** Takes a slot; the answer gives it back. Undefined when the time was over first. @throws the reason of the signal. */
  async take({ signal, withinMs }: Turn): Promise<(() => void) | undefined> {
    signal?.throwIfAborted();
    if (this.taken < this.size) this.taken += 1;
    else if (!(await this.isCalled({ signal, withinMs }))) return undefined;
    return () => this.handOn();
  }

  private async isCalled({ signal, withinMs }: Turn): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    let off = () => {};
    let called = () => {};
    try {
      return await new Promise<boolean>((resolve, reject) => {
        called = () => resolve(true);
        this.queue.add(called);
        if (withinMs !== undefined) timer = setTimeout(() => resolve(false), timerMs(withinMs));
        if (signal !== undefined) off = onAbort(signal, () => reject(signal.reason));
      });
    } finally {
      this.queue.delete(called);
      clearTimeout(timer);
      off();
    }
  }

  /** A slot goes straight to whoever has waited longest, so that nobody who comes now is before. */
  private handOn(): void {
    const [first] = this.queue;
    if (first === undefined) {
      this.taken -= 1;
      return;
    }
    this.queue.delete(first);
    first();
  }
}
