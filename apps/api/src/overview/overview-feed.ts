import { setTimeout as sleep } from 'node:timers/promises';
import type { MillraceError } from '@millrace/shared/errors';
import { errorOfRequest } from '../problem.ts';
import type { Overview } from './overview-schema.ts';

/** One look at the mill, the same for all who look. `text` is its JSON. */
export type Look =
  | { readonly kind: 'seen'; readonly text: string }
  | { readonly kind: 'missed'; readonly error: MillraceError };

interface FeedParams {
  readonly read: () => Promise<Overview>;
  /** In ms, from any moment on. */
  readonly now: () => number;
}

/** Looks begin this far apart, in ms, however many ask. */
export const lookEveryMs = 1000;

/** Looks at the mill for all who want to know: at most once a second, and never when nobody asks. */
export class OverviewFeed {
  private readonly params: FeedParams;
  private beganAt = Number.NEGATIVE_INFINITY;
  private isOver = true;
  private look: Promise<Look> | undefined;

  constructor(params: FeedParams) {
    this.params = params;
  }

  /** The last look, if it began less than a second ago or goes on still, or a new one; never rejects. */
  latest(): Promise<Look> {
    const now = this.params.now();
    if (this.look !== undefined && (!this.isOver || now - this.beganAt < lookEveryMs)) return this.look;
    this.beganAt = now;
    this.isOver = false;
    this.look = this.take();
    return this.look;
  }

  /** Look after look, until the signal; whoever takes them slowly gets fewer, and always the newest. */
  async *follow(signal: AbortSignal): AsyncGenerator<Look, void, undefined> {
    let taken: Promise<Look> | undefined;
    while (!signal.aborted) {
      const look = this.latest();
      if (look !== taken) yield await look;
      taken = look;
      const restMs = this.beganAt + lookEveryMs - this.params.now();
      await sleep(Math.max(1, restMs), undefined, { signal }).catch(() => {});
    }
  }

  private async take(): Promise<Look> {
    try {
      return { kind: 'seen', text: JSON.stringify(await this.params.read()) };
    } catch (error) {
      return { kind: 'missed', error: errorOfRequest(error) };
    } finally {
      this.isOver = true;
    }
  }
}
