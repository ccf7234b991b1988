import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { LaneBeat } from '@millrace/shared/redis/workers';
import { type CallEnd, Lane, type LaneCall } from './lane.ts';
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
}

/** Calls that a lane holds at most: one computes, one waits in its process. */
const callsPerLane = 2;
const longestPauseMs = 30_000;

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
    this.places = Array.from({ length: params.count }, (_, index) => ({
      id: `${params.setup.family}-${index + 1}`,
      lane: undefined,
      calls: 0,
      restarts: 0,
      failedStarts: 0,
    }));
  }

  /** Starts every lane and waits until all are warm. @throws MillraceError LANE_FAILED. */
  async start(events: LanesEvents): Promise<void> {
    this.events = events;
    const loaded = await Promise.all(this.places.map((place) => this.open(place).ready));
    this.models = loaded[0] ?? [];
  }

  get count(): number {
    return this.places.length;
  }

  /** The lane, but for one, that the next call should go to: an idle one, else the one with the fewest calls that has room. */
  next(but?: Lane): Lane | undefined {
    let best: Lane | undefined;
    for (const { lane } of this.places) {
      if (lane === undefined || lane === but || (lane.state !== 'idle' && lane.state !== 'busy')) continue;
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
    return this.places.map(({ id, lane, calls, restarts }) => ({
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
    const lane = new Lane(this.params.setup, {
      onEnd: (call, end) => {
        place.calls += 1;
        this.events?.onEnd(call, end);
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
    if (!this.closed) {
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
