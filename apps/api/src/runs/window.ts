import type { UnitSize } from './unit.ts';

/** The bounds of a window. */
export interface WindowLimits extends UnitSize {
  /** The most that `bytes` can ever be; it moves with how many runs share it. */
  readonly mostBytes: number;
}

/**
 * The room that a run has for what is under way: a bound in items and one in bytes. What is larger than the whole room gets in
 * when nothing else is there.
 */
export class Window {
  private readonly limits: WindowLimits;
  private items = 0;
  private bytes = 0;
  private units = 0;
  private waiting: { readonly size: UnitSize; enter(): void } | undefined;

  constructor(limits: WindowLimits) {
    this.limits = limits;
  }

  /** Somebody waits for room. */
  get isFull(): boolean {
    return this.waiting !== undefined;
  }

  /** Waits for room and takes it; one at a time. */
  async enter(size: UnitSize): Promise<void> {
    if (!this.fits(size)) {
      await new Promise<void>((resolve) => {
        this.waiting = { size, enter: resolve };
      });
    }
    this.items += size.items;
    this.bytes += size.bytes;
    this.units += 1;
  }

  /** Gives room back. */
  leave(size: UnitSize): void {
    this.items -= size.items;
    this.bytes -= size.bytes;
    this.units -= 1;
    if (this.waiting === undefined || !this.fits(this.waiting.size)) return;
    const { enter } = this.waiting;
    this.waiting = undefined;
    enter();
  }

  /** Lets whoever waits in, for nothing is to come any more. */
  abandon(): void {
    this.waiting?.enter();
    this.waiting = undefined;
  }

  private fits({ items, bytes }: UnitSize): boolean {
    if (this.units === 0) return true;
    return this.items + items <= this.limits.items && this.bytes + bytes <= this.limits.bytes;
  }
}
