import type { ServerResponse } from 'node:http';
import type { Watch } from '@millrace/client/waiting';

/** Why a wait was over: the task ended, the time did, the API closes, or nobody listens any more. */
export type WaitEnd = 'ended' | 'time' | 'closing' | 'gone';

/** The requests that wait for a task to end. One timer and two listeners each, so thousands may wait. */
export class TaskWaits {
  private readonly enders = new Set<(how: WaitEnd) => void>();
  private closing = false;

  /** How many wait. */
  get size(): number {
    return this.enders.size;
  }

  /** Waits for a watched task, at most `ms`, and no longer than its client stays. */
  async untilEnd(watch: Watch, { ms, response }: { ms: number; response: ServerResponse }): Promise<WaitEnd> {
    if (this.closing) return 'closing';
    if (response.destroyed || response.socket?.destroyed === true) return 'gone';
    return await new Promise((resolve) => {
      const end = (how: WaitEnd) => {
        clearTimeout(timer);
        response.off('close', gone);
        this.enders.delete(end);
        resolve(how);
      };
      const gone = () => end('gone');
      const timer = setTimeout(() => end('time'), ms);
      response.once('close', gone);
      this.enders.add(end);
      watch.ended.then(
        () => end('ended'),
        () => end('closing'),
      );
    });
  }

  /** For a stream: aborted when its client leaves or the API closes. `stop` must be called in the end. */
  streaming(response: ServerResponse): { readonly signal: AbortSignal; stop(): void } {
    const over = new AbortController();
    const end = () => over.abort();
    if (this.closing || response.destroyed) end();
    response.once('close', end);
    this.enders.add(end);
    const stop = () => {
      response.off('close', end);
      this.enders.delete(end);
    };
    return { signal: over.signal, stop };
  }

  /** Ends all waits: their requests answer with the task as it stands. */
  close(): void {
    this.closing = true;
    for (const end of [...this.enders]) end('closing');
  }
}
