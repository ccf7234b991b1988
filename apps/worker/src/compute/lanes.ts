import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { LaneBeat, ReplicaBeat } from '@millrace/shared/redis/workers';
import { type CallEnd, callsPerLane, Lane, type LaneCall, type LaneLeave } from './lane.ts';
import type { LaneSetup, LoadedModel } from './protocol.ts';

interface LanesParams {
  readonly setup: LaneSetup;
  readonly count: number;
  /** Bytes of memory above which a lane is replaced; 0: none. */
  readonly memoryLimit: number;
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
  /** How many of the restarts were for its memory. */
  recycled: number;
  /** Its lane is above the memory limit, and the next one is not ready yet. */
  recycling: boolean;
  /** Deaths in a row before it was ready; each doubles the pause before the next start. */
  failedStarts: number;
  /** Is to be empty: its lane gets no more calls, and ends when it is idle. */
  retiring: boolean;
}

/** How a lane ended: what it was to do (undefined: go on), and the calls that it had. */
interface Ending {
  readonly leaving: LaneLeave | undefined;
  readonly reason: string;
  readonly calls: number;
}

const longestPauseMs = 30_000;

/**
 * The lanes of a family: a process that dies is replaced, until the worker closes; and so is, once it has nothing to compute,
 * one that has grown above the memory limit, one after the other.
 */
export class Lanes {
  private readonly params: LanesParams;
  private readonly places: Place[];
  private events: LanesEvents | undefined;
  private readonly timers = new Set<NodeJS.Timeout>();
  private closed = false;
  /** What the lane loaded that started last. */
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
    for (const place of this.places) {
      if (place.retiring) retire(place);
      else if (place.lane === undefined) this.open(place);
    }
  }

  private createPlace(index: number): Place {
    const id = `${this.params.setup.family}-${index + 1}`;
    const counts = { calls: 0, restarts: 0, recycled: 0, failedStarts: 0 };
    return { id, lane: undefined, ...counts, recycling: false, retiring: false };
  }

  /** The lane, but for one, that the next call should go to: an idle one, else the one with the fewest calls that has room. */
  next(but?: Lane): Lane | undefined {
    let best: Lane | undefined;
    for (const { lane } of this.places) {
      if (lane === undefined || lane === but || !lane.takesCalls) continue;
      if (lane.calls.length < callsPerLane && (best === undefined || lane.calls.length < best.calls.length))
        best = lane;
    }
    return best;
  }

  /** Of the lanes, but for one, that have no room: the one that will soonest be done with a call, if what waits in it may be passed. */
  passable(mayPass: (waiting: LaneCall) => boolean, but?: Lane): Lane | undefined {
    let best: Lane | undefined;
    for (const { lane } of this.places) {
      if (lane === undefined || lane === but || !lane.takesCalls || lane.calls.length !== callsPerLane) continue;
      const [, waiting] = lane.calls;
      if (waiting === undefined || !mayPass(waiting)) continue;
      if (best === undefined || (lane.computingSince ?? 0) < (best.computingSince ?? 0)) best = lane;
    }
    return best;
  }

  /** Ends the process that holds a call, in mid-run. */
  killHolder(call: LaneCall, reason: string): void {
    this.places.find(({ lane }) => lane?.calls.includes(call))?.lane?.interrupt(call, reason);
  }

  /** What is loaded now, of every lane. */
  get loaded(): readonly LoadedModel[] {
    return this.places.flatMap(({ lane }) => lane?.models ?? []);
  }

  /** The replicas of every lane. */
  get replicas(): readonly ReplicaBeat[] {
    return this.places.flatMap(({ lane }) => lane?.replicas ?? []);
  }

  beats(): LaneBeat[] {
    const there = this.places.filter(({ lane, retiring }) => !retiring || lane !== undefined);
    return there.map(({ id, lane, calls, restarts, recycled }) => ({
      id,
      family: this.params.setup.family,
      state: lane?.state ?? 'dead',
      pid: lane?.pid ?? null,
      rssBytes: lane?.rssBytes ?? null,
      calls,
      restarts,
      recycled,
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
        // First, for it must get no other call for the one that ended.
        if (this.isToBeRecycled(lane)) this.recycle(place, lane);
        this.events?.onEnd(call, end);
      },
      onBegin: (call) => this.events?.onBegin(call),
      onDeath: (unfinished, reason) => this.onDeath(place, unfinished, reason),
    });
    place.lane = lane;
    lane.ready.then(
      (models) => {
        this.models = models;
        this.onReady(place, lane);
      },
      () => {
        place.failedStarts += 1;
        place.recycling = false;
      },
    );
    return lane;
  }

  private onReady(place: Place, lane: Lane): void {
    const { log, memoryLimit } = this.params;
    place.failedStarts = 0;
    place.recycling = false;
    if (place.retiring) retire(place);
    if (memoryLimit > 0 && (lane.freshBytes ?? 0) > memoryLimit)
      log.warn(
        { event: 'lane.limit.low', lane: place.id, rssBytes: lane.freshBytes, limit: memoryLimit },
        'LANE_MEMORY is less than what a compute process takes that has computed nothing: it is not recycled',
      );
    this.events?.onRoom();
  }

  /** One at a time, so that the others go on; and not when the next would be above the limit from its start. */
  private isToBeRecycled({ rssBytes, freshBytes, leaving }: Lane): boolean {
    const { memoryLimit } = this.params;
    if (memoryLimit === 0 || leaving !== undefined || (rssBytes ?? 0) <= memoryLimit) return false;
    return (freshBytes ?? 0) <= memoryLimit && !this.places.some(({ recycling }) => recycling);
  }

  private recycle(place: Place, lane: Lane): void {
    const { log, memoryLimit } = this.params;
    const facts = { lane: place.id, rssBytes: lane.rssBytes, limit: memoryLimit };
    log.info({ event: 'lane.recycled', ...facts }, 'a compute process is above LANE_MEMORY: another takes its place');
    place.recycling = true;
    lane.endWhenIdle('recycled');
  }

  private onDeath(place: Place, unfinished: readonly LaneCall[], reason: string): void {
    // One that was to end and died before, with calls in hand, has died as any other.
    const leaving = unfinished.length === 0 ? place.lane?.leaving : undefined;
    if (place.retiring) this.empty(place);
    else if (!this.closed) this.replace(place, { leaving, reason, calls: unfinished.length });
    this.events?.onDeath(unfinished, reason);
  }

  private empty(place: Place): void {
    place.lane = undefined;
    place.recycling = false;
    this.params.log.info(
      { event: 'lane.retired', lane: place.id },
      'a compute process ended: its core belongs to another worker',
    );
  }

  private replace(place: Place, { leaving, reason, calls }: Ending): void {
    const { log, metrics, setup } = this.params;
    if (leaving === undefined)
      log.warn({ event: 'lane.died', lane: place.id, reason, calls }, 'a compute process died');
    // One that was to retire is needed again: nothing has gone wrong.
    if (leaving !== 'retired') {
      metrics.count('millrace_lane_restarts_total', { family: setup.family, reason: leaving ?? 'died' });
      place.restarts += 1;
      if (leaving === 'recycled') place.recycled += 1;
    }
    this.reopen(place);
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

/** One that still loads retires when it is ready. */
function retire({ lane }: Place): void {
  if (lane?.takesCalls) lane.endWhenIdle('retired');
}
