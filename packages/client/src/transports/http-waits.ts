import { endedStates, type TaskView } from '@millrace/shared/tasks/task';
import { pause } from '../abortable.ts';
import type { WaitBound } from '../ends-within.ts';
import { taskPath } from './http-paths.ts';
import type { ApiRequests } from './http-requests.ts';
import { Slots } from './slots.ts';

/** Requests that wait at once, each on a connection of its own. */
const waitsAtOnce = 128;
/** The longest that one request waits: proxies hang up on what is silent for 30 s or more; ms. */
const longestWaitMs = 25_000;
/** The shortest, when very many wait; ms. */
const shortestWaitMs = 250;
/** An API that answers at once instead of waiting is about to close; ms. */
const closingPauseMs = 250;

/**
 * Waits for tasks by requests that the API answers when the task has ended. Each asks anew as long as it has not, and also while the
 * API is away. When more wait than connections are for, each asks for a shorter time, so that all have their turn.
 */
export class ApiWaits {
  private readonly requests: ApiRequests;
  private readonly slots = new Slots(waitsAtOnce);

  constructor(requests: ApiRequests) {
    this.requests = requests;
  }

  /** The task as soon as it has ended, or as it stands when the time is over. `query`: what of it is asked for. */
  async untilEnded(id: string, { timeoutMs, signal }: WaitBound, query: string): Promise<TaskView> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = Math.max(0, deadline - performance.now());
      const waitMs = Math.min(leftMs, this.shareMs);
      const askedAt = performance.now();
      const view = await this.ask({ id, query, waitMs, leftMs, signal });
      if (view !== undefined && (endedStates.includes(view.state) || leftMs === 0)) return view;
      const tookMs = performance.now() - askedAt;
      if (tookMs < waitMs / 2) await pause(Math.min(closingPauseMs, waitMs), signal);
    }
  }

  private get shareMs(): number {
    return Math.max(shortestWaitMs, longestWaitMs / (1 + this.slots.waiting / this.slots.size));
  }

  /** One look; undefined when no connection was free in time. */
  private async ask({ id, query, waitMs, leftMs, signal }: Ask): Promise<TaskView | undefined> {
    const path = `${taskPath(id)}?${query}`;
    // The last look must not stand in a queue.
    if (leftMs === 0) return await this.requests.json<TaskView>({ path, signal });
    const release = await this.slots.take({ signal, withinMs: leftMs });
    try {
      if (release === undefined) return undefined;
      const seconds = (waitMs / 1000).toFixed(3);
      return await this.requests.json<TaskView>({ path: `${path}&wait=${seconds}`, signal, waitMs, retryMs: leftMs });
    } finally {
      release?.();
    }
  }
}

interface Ask {
  readonly id: string;
  readonly query: string;
  readonly waitMs: number;
  readonly leftMs: number;
  readonly signal: AbortSignal | undefined;
}
