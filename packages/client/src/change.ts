/** Somebody waits until something changes. */
export class Change {
  private wake: (() => void) | undefined;
  private waiting: Promise<void> | undefined;

  /** Resolves with the next `tell`. */
  wait(): Promise<void> {
    this.waiting ??= new Promise((resolve) => {
      this.wake = resolve;
    });
    return this.waiting;
  }

  tell(): void {
    this.wake?.();
    this.wake = undefined;
    this.waiting = undefined;
  }
}
