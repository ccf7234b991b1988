import type { Logger } from './logger.ts';

interface Closer {
  readonly name: string;
  readonly deadlineMs: number;
  readonly close: () => Promise<void> | void;
}

/**
 * What a process has opened, and closes in reverse order. Each closer has its deadline; one that throws or is late is logged,
 * and the others still run. `close` may be called twice: the second call waits for the first.
 */
export class Closers {
  private readonly stack: Closer[] = [];
  private readonly log: Logger;
  private closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.log = log;
  }

  /** Notes how to close what was just opened; `deadlineMs` bounds it (default 5,000). */
  add(name: string, close: () => Promise<void> | void, deadlineMs = 5000): void {
    this.stack.push({ name, close, deadlineMs });
  }

  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    for (let closer = this.stack.pop(); closer !== undefined; closer = this.stack.pop()) {
      await this.closeOne(closer);
    }
  }

  private async closeOne({ name, close, deadlineMs }: Closer): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not closed within ${deadlineMs} ms`)), deadlineMs);
    });
    try {
      await Promise.race([Promise.resolve().then(close), late]);
    } catch (error) {
      this.log.warn(
        { event: 'close.failed', part: name, error: (error as Error).message },
        'a part did not close cleanly',
      );
    } finally {
      clearTimeout(timer);
    }
  }
}
