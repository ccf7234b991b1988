import { type ErrorCode, MillraceError } from '@millrace/shared/errors';
import type { TaskOptions } from '@millrace/shared/tasks/task';
import { pause } from './abortable.ts';
import { Change } from './change.ts';
import type { MapEntry } from './map-entry.ts';
import type { Parcel, SendOutcome, Transport } from './transport.ts';
import { retryPauseMs } from './wait-for-room.ts';

interface MapSending {
  readonly type: string;
  readonly taskOptions: TaskOptions;
  readonly waitMs: number;
  readonly waitForRoomMs: number;
  /** Aborted when no more is wanted. */
  readonly stopped: AbortSignal;
  /** A task has ended. */
  readonly onEnd: () => void;
}

/** What passes by waiting. */
const passing: readonly ErrorCode[] = ['QUEUE_FULL', 'RATE_LIMITED', 'REDIS_UNAVAILABLE', 'API_UNAVAILABLE'];
/** What is not the fault of one input: it would befall all others too. */
const ofAll: readonly ErrorCode[] = [
  ...passing,
  'UNSUPPORTED_TASK_TYPE',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'ROUTE_NOT_FOUND',
  'REDIS_EVICTS',
  'CONFIG_INVALID',
  'CLOSED',
];
/** Between two looks for a result while Redis or the API is away; ms. */
const awayPauseMs = 500;
/** Between two tries to send: for so long admission trusts what it saw; ms. */
const shortestPauseMs = 250;
/** So long a loop that is left waits for its tasks to be cancelled; ms. A worker lets go of one within 2 s as a rule. */
const leavesWithinMs = 3000;

/** Sends the inputs of a `map` and sees each to its end. */
export class MapSender<Input, Output> {
  private readonly transport: Transport;
  private readonly params: MapSending;
  /** Accepted, or on their way. */
  underWay = 0;
  /** Something happened that concerns all inputs: no use in sending more. */
  failed = false;
  private sending: Promise<void> | undefined;
  private readonly ends = new Change();

  constructor(transport: Transport, params: MapSending) {
    this.transport = transport;
    this.params = params;
  }

  /** Resolves when each is accepted or refused; what is accepted first is seen to its end meanwhile. */
  async send(entries: readonly MapEntry<Input, Output>[]): Promise<void> {
    this.underWay += entries.length;
    this.sending = this.sendAll(entries);
    await this.sending;
  }

  /** Cancels what is under way among some inputs, and waits until it is; when that takes long it goes on by itself. */
  async cancel(entries: readonly MapEntry<Input, Output>[]): Promise<void> {
    const enough = new AbortController();
    const cancelling = this.cancelAll(entries).finally(() => enough.abort());
    await Promise.race([cancelling, pause(leavesWithinMs, enough.signal).catch(() => {})]);
  }

  private async cancelAll(entries: readonly MapEntry<Input, Output>[]): Promise<void> {
    await this.sending;
    await Promise.all(entries.map((entry) => this.cancelOne(entry)));
  }

  private async sendAll(entries: readonly MapEntry<Input, Output>[]): Promise<void> {
    const { type, taskOptions, waitForRoomMs } = this.params;
    const deadline = performance.now() + waitForRoomMs;
    try {
      const parcel = this.transport.prepare(
        entries.map(({ input }) => ({ ...taskOptions, type, input })),
        {},
      );
      for (;;) {
        const outcomes = await this.trySend(parcel, entries.length);
        const refusal = this.take(entries, outcomes);
        if (refusal === undefined) return;
        const leftMs = deadline - performance.now();
        if (!passing.includes(refusal.code) || leftMs <= 0) throw refusal;
        await this.untilRoom(Math.min(retryPauseMs(refusal), leftMs));
      }
    } catch (error) {
      this.failed = true;
      for (const entry of entries) if (entry.id === undefined && !entry.ended) this.drop(entry, error);
    }
  }

  /** Waits so many ms, or until one of its own tasks has made room; at least for a moment. */
  private async untilRoom(ms: number): Promise<void> {
    const { stopped } = this.params;
    await Promise.race([pause(ms, stopped), this.ends.wait()]);
    await pause(Math.min(shortestPauseMs, ms), stopped);
  }

  private async trySend(parcel: Parcel, count: number): Promise<readonly SendOutcome[]> {
    try {
      return await parcel.send(this.params.stopped);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      return new Array<SendOutcome>(count).fill({ error });
    }
  }

  /** Sees to what has been accepted or refused for good; gives the refusal that concerns all, if there is one. */
  private take(
    entries: readonly MapEntry<Input, Output>[],
    outcomes: readonly SendOutcome[],
  ): MillraceError | undefined {
    let refusal: MillraceError | undefined;
    for (const [index, entry] of entries.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined || entry.ended || entry.id !== undefined) continue;
      if ('id' in outcome) {
        entry.id = outcome.id;
        void this.await(entry, outcome.id);
      } else if (!ofAll.includes(outcome.error.code)) {
        entry.fail(outcome.error);
        this.left();
      } else if (refusal === undefined || passing.includes(refusal.code)) refusal = outcome.error;
    }
    return refusal;
  }

  private async await(entry: MapEntry<Input, Output>, id: string): Promise<void> {
    try {
      // What the worker stored is the output of this very type.
      entry.succeed((await this.result(id)) as Output);
    } catch (error) {
      const isOver = this.params.stopped.aborted || !(error instanceof MillraceError) || error.code === 'CLOSED';
      if (isOver) entry.end(error);
      else {
        // Whoever gave it up wants it no more, and it takes a place among those under way.
        if (error.code === 'WAIT_TIMEOUT') await this.cancelOne(entry);
        entry.fail(error);
      }
    } finally {
      this.left();
    }
  }

  /** Waits for a result, also while Redis or the API is away. */
  private async result(id: string): Promise<Record<string, unknown>> {
    const { waitMs, stopped } = this.params;
    const deadline = performance.now() + waitMs;
    for (;;) {
      try {
        const timeoutMs = Math.max(0, deadline - performance.now());
        return await this.transport.result(id, { timeoutMs, signal: stopped });
      } catch (error) {
        const isAway = error instanceof MillraceError && passing.includes(error.code);
        if (!isAway || performance.now() >= deadline) throw error;
        await pause(error.code === 'RATE_LIMITED' ? retryPauseMs(error) : awayPauseMs, stopped);
      }
    }
  }

  private drop(entry: MapEntry<Input, Output>, error: unknown): void {
    entry.end(error);
    this.left();
  }

  private left(): void {
    this.underWay -= 1;
    this.ends.tell();
    this.params.onEnd();
  }

  private async cancelOne({ id, ended }: MapEntry<Input, Output>): Promise<void> {
    // One that has just ended, or is gone, needs no cancelling; and nobody is left to hear of anything else.
    if (id !== undefined && !ended) await this.transport.cancel(id, {}).catch(() => {});
  }
}
