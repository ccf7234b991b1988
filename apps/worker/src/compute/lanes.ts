import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { LaneBeat } from '@millrace/shared/redis/workers';
import { type CallEnd, callsPerLane, Lane, type LaneCall } from './lane.ts';
import type { LaneSetup, LoadedModel } from './protocol.ts';

interface LanesParams {
  readonly setup: LaneSetup;
  readonly count: number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** What the lanes tell of themselves. */
export interface LanesEvents {
  onEnd(call: LaneCall, end: CallEnd): void;
  /** A lane begins to compute a call. */
  onBegin(call: LaneCall): void;
  onDeath(unfinished: readonly LaneCall[], reason: string): void;
  /** A lane is there again, or has room again. */
  onRoom(): void;
}

/** One place for a lane: whatever process is in it now. */
interface Place {
  readonly id: string;
  lane: Lane | undefined;
  calls: number;
  restarts: number;
  /** Deaths in a row before it was ready; each doubles the pause before the next start. */
  failedStarts: number;
  /** Gets no more calls, and ends when it is idle. */
  retiring: boolean;
}

const longestPauseMs = 30_000;
/** Why a lane ends whose core belongs to another worker now. */
const retired = 'its core belongs to another worker';

/** The lanes of a family: a process that dies is replaced, until the worker closes. */
export class Lanes {
  private readonly params: LanesParams;
  private readonly places: Place[];
  private events: LanesEvents | undefined;
  private readonly timers = new Set<NodeJS.Timeout>();
  private closed = false;
  models: readonly LoadedModel[] = [];

  constructor(params: LanesParams) {
    this.params = params;
    this.places = Array.from({ length: params.count }, (_, index) => this.createPlace(index));
  }

  /** Starts every lane and waits until all are warm. @throws MillraceError LANE_FAILED. */
  async start(events: LanesEvents): Promise<void> {
    this.events = events;
    const loaded = await Promise.all(this.places.map((place) => this.open(place).ready));
    this.models = loaded[0] ?? [];
  }

  /** Lanes that take calls. */
  get count(): number {
    return this.places.filter(({ retiring }) => !retiring).length;
  }

  /** Sets the number of lanes once they are started: new ones start in the background, those that are too many end when they are idle. */
  resize(count: number): void {
    if (this.closed || this.events === undefined) return;
    for (const place of this.places.slice(0, count)) place.retiring = false;
    for (const place of this.places.slice(count)) place.retiring = true;
    while (this.places.length < count) this.places.push(this.createPlace(this.places.length));
    for (const place of this.places) if (!place.retiring && place.lane === undefined) this.open(place);
    this.retireIdle();
  }

  private createPlace(index: number): Place {
    const id = `${this.params.setup.family}-${index + 1}`;
    return { id, lane: undefined, calls: 0, restarts: 0, failedStarts: 0, retiring: false };
  }

  private retireIdle(): void {
    for (const { lane, retiring } of this.places) if (retiring && lane?.state === 'idle') lane.kill(retired);
  }

  /** The lane, but for one, that the next call should go to: an idle one, else the one with the fewest calls that has room. */
  next(but?: Lane): Lane | undefined {
    let best: Lane | undefined;
    for (const { lane, retiring } of this.places) {
      if (lane === undefined || retiring || lane === but || (lane.state !== 'idle' && lane.state !== 'busy')) continue;
      if (lane.calls.length < callsPerLane && (best === undefined || lane.calls.length < best.calls.length))
        best = lane;
    }
    return best;
  }

  /** Ends the process that holds a call, in mid-run. */
  killHolder(call: LaneCall, reason: string): void {
    this.places.find(({ lane }) => lane?.calls.includes(call))?.lane?.kill(reason);
  }

  beats(): LaneBeat[] {
    const there = this.places.filter(({ lane, retiring }) => !retiring || lane !== undefined);
    return there.map(({ id, lane, calls, restarts }) => ({
      id,
      family: this.params.setup.family,
      state: lane?.state ?? 'dead',
      pid: lane?.pid ?? null,
      rssBytes: lane?.rssBytes ?? null,
      calls,
      restarts,
    }));
  }

  /** Ends every lane at once, and waits until they are gone; what they held is given to onDeath. */
  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    const alive = this.places.flatMap(({ lane }) => (lane === undefined || lane.state === 'dead' ? [] : [lane]));
    for (const lane of alive) lane.kill('the worker closed');
    await Promise.all(alive.map(({ exited }) => exited));
  }

  private open(place: Place): Lane {
    const lane = new Lane(place.id, this.params.setup, {
      onEnd: (call, end) => {
        place.calls += 1;
        this.events?.onEnd(call, end);
        if (place.retiring) this.retireIdle();
      },
      onBegin: (call) => this.events?.onBegin(call),
      onDeath: (unfinished, reason) => this.onDeath(place, unfinished, reason),
    });
    place.lane = lane;
    lane.ready.then(
      () => {
        place.failedStarts = 0;
        this.events?.onRoom();
      },
      () => {
        place.failedStarts += 1;
      },
    );
    return lane;
  }

  private onDeath(place: Place, unfinished: readonly LaneCall[], reason: string): void {
    const { log, metrics, setup } = this.params;
    if (place.retiring) {
      place.lane = undefined;
      log.info(
        { event: 'lane.retired', lane: place.id },
        'a compute process ended: its core belongs to another worker',
      );
    } else if (!this.closed) {
      log.warn({ event: 'lane.died', lane: place.id, reason, calls: unfinished.length }, 'a compute process died');
      metrics.count('millrace_lane_restarts_total', { family: setup.family, reason: 'died' });
      place.restarts += 1;
      this.reopen(place);
    }
    this.events?.onDeath(unfinished, reason);
  }

  /** At once the first time; a lane that cannot start waits longer and longer. */
  private reopen(place: Place): void {
    const pauseMs = place.failedStarts === 0 ? 0 : Math.min(longestPauseMs, 500 * 2 ** place.failedStarts);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.closed) this.open(place);
    }, pauseMs);
    this.timers.add(timer);
  }
}
