import { setImmediate as nextTurn } from 'node:timers/promises';
import { MillraceError } from '@millrace/shared/errors';
import { onAbort, raced } from './abortable.ts';
import { Change } from './change.ts';
import type { MapOptions, MapOutcome, MapWork } from './map.ts';
import { MapEntry } from './map-entry.ts';
import { MapSender } from './map-sender.ts';
import { MapSource } from './map-source.ts';
import type { Transport } from './transport.ts';

const defaultInFlight = 64;
export const defaultWaitMs = 600_000;

/**
 * One run of `map`. Two loops go on beside whoever takes the outcomes: `read` pulls inputs while there is room for them, `send` takes
 * all that have come since it last looked and enqueues them together. So one input that comes alone is sent at once, and of
 * a source that is quick as many go together as came while the last ones were on their way.
 */
export class MapRun<Input, Output> {
  private readonly source: MapSource<Input>;
  private readonly sender: MapSender<Input, Output>;
  private readonly inFlight: number;
  /** Pulled, and not sent yet. */
  private ready: MapEntry<Input, Output>[] = [];
  /** Sent, or about to be, and not yielded yet; in order. */
  private readonly window: MapEntry<Input, Output>[] = [];
  private index = 0;
  private begun: Promise<unknown> | undefined;
  /** All has been pulled, and what the source threw in the end. */
  private drained: { readonly error?: unknown } | undefined;
  private sent = false;
  private readonly stopping = new AbortController();
  private stopped: Promise<void> | undefined;
  private readonly offAbort: () => void;
  /** Something can be pulled, sent or yielded that could not before. */
  private readonly room = new Change();
  private readonly pulled = new Change();
  private readonly shown = new Change();

  constructor(transport: Transport, { type, inputs, options }: MapWork<Input>) {
    const { inFlight, signal, ...sending } = settled(options);
    this.inFlight = inFlight;
    this.source = new MapSource(inputs);
    const onEnd = () => this.room.tell();
    this.sender = new MapSender(transport, { type, ...sending, stopped: this.stopping.signal, onEnd });
    this.offAbort = signal === undefined ? () => {} : onAbort(signal, () => void this.stop(signal.reason));
  }

  /** The outcome of the next input; undefined after the last. */
  async next(): Promise<MapOutcome<Input, Output> | undefined> {
    this.begun ??= Promise.all([this.read(), this.send()]);
    const { signal } = this.stopping;
    for (let head = this.window[0]; head === undefined; head = this.window[0]) {
      if (this.sent) {
        if (this.drained !== undefined && 'error' in this.drained) throw this.drained.error;
        return undefined;
      }
      await raced(signal, () => this.shown.wait());
    }
    const outcome = await raced(signal, () => this.window[0]?.outcome ?? Promise.resolve(undefined));
    this.window.shift();
    this.room.tell();
    return outcome;
  }

  /** Ends it: what is under way is cancelled, and the source is told. May be called twice. */
  stop(reason: unknown = new MillraceError('CANCELLED', 'The loop over the outcomes was left.')): Promise<void> {
    this.stopped ??= this.stopAll(reason);
    return this.stopped;
  }

  private async stopAll(reason: unknown): Promise<void> {
    this.stopping.abort(reason);
    this.offAbort();
    for (const change of [this.room, this.pulled, this.shown]) change.tell();
    await Promise.all([this.source.stop(), this.sender.cancel(this.window)]);
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private get hasRoom(): boolean {
    const pending = this.ready.length;
    const underWay = pending + this.sender.underWay;
    return underWay < this.inFlight && pending + this.window.length < 2 * this.inFlight;
  }

  private async read(): Promise<void> {
    try {
      while (!this.isStopped) {
        if (!this.hasRoom) {
          await this.room.wait();
          continue;
        }
        const { done, value } = await this.source.next();
        if (done === true) break;
        this.ready.push(new MapEntry(this.index, value as Input));
        this.index += 1;
        this.pulled.tell();
      }
      this.drained = {};
    } catch (error) {
      this.drained = { error };
    }
    this.pulled.tell();
  }

  private async send(): Promise<void> {
    while (!this.isStopped && !this.sender.failed) {
      if (this.ready.length === 0) {
        if (this.drained !== undefined) break;
        await this.pulled.wait();
        continue;
      }
      // What the source gives in the same breath goes along.
      await nextTurn();
      const entries = this.ready;
      this.ready = [];
      this.window.push(...entries);
      this.shown.tell();
      await this.sender.send(entries);
    }
    this.sent = true;
    this.shown.tell();
  }
}

/** @throws MillraceError INVALID_REQUEST. */
function settled({ inFlight = defaultInFlight, waitMs = defaultWaitMs, ...rest }: MapOptions) {
  if (!Number.isInteger(inFlight) || inFlight < 1) {
    throw new MillraceError('INVALID_REQUEST', `inFlight: got ${inFlight}, expected a whole number from 1.`);
  }
  const { signal, waitForRoomMs = waitMs, ...taskOptions } = rest;
  return { inFlight, waitMs, waitForRoomMs, signal, taskOptions };
}
