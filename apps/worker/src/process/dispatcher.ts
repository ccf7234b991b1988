import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { CallRecord } from '@millrace/shared/redis/call-records';
import type { ItemOutcome } from '@millrace/shared/tasks/processor';
import type { Family } from '@millrace/shared/tasks/task';
import type { Batcher } from '../batch/batcher.ts';
import { type CallEnd, callsPerLaneAtMost, type Lane, type LaneCall } from '../compute/lane.ts';
import type { Lanes } from '../compute/lanes.ts';
import { expired } from './early-ends.ts';
import type { HeldTask } from './held-task.ts';
import { type BadEnd, blame } from './isolation.ts';
import { observeCall } from './observe-call.ts';
import { type QueuedItem, takersOf, tasksOf } from './queued-item.ts';
import type { SameItems } from './same-items.ts';

interface DispatcherParams {
  readonly family: Family;
  readonly workerId: string;
  readonly batcher: Batcher<QueuedItem>;
  /** Takes tasks apart into items, and brings outcomes to all that wait for them. */
  readonly same: SameItems;
  readonly lanes: Lanes;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Called whenever items left the batcher or came to it: the window has changed. */
  readonly onWindow: () => void;
  /** Called when a call has ended: the time to look whether something more urgent has come. */
  readonly onCallEnd: () => void;
  /** Called when a lane has started, at first or again. */
  readonly onLaneStart: () => void;
  /** Notes a call before it is sent; `place` names one of the calls that a lane holds. */
  readonly noteCall: (place: string, call: CallRecord) => void;
}

/** The places at which the calls of a lane are noted. */
const allPlaces = Array.from({ length: callsPerLaneAtMost }, (_, place) => place);

/** A call that was sent to a lane. */
interface SentCall {
  readonly lane: LaneCall;
  readonly items: readonly QueuedItem[];
  /** Which of the calls that its lane holds it is noted as. */
  readonly place: number;
  /** Its time from when its lane begins it, in ms: the strictest task decides. */
  readonly limitMs: number;
  timer: NodeJS.Timeout | undefined;
  /** Its lane was killed because it took too long. */
  timedOut: boolean;
}

/**
 * Brings items from the batcher to the lanes and outcomes back to their tasks. One call to a lane per batch, one outcome per
 * item; what dies, hangs or throws is isolated, so that a task fails alone.
 */
export class Dispatcher {
  private readonly params: DispatcherParams;
  private readonly sent = new Map<number, SentCall>();
  /** Groups of items that must not share a call with others: a call of theirs died or threw. */
  private readonly suspects: QueuedItem[][] = [];
  /** The lane that suspects are computed in, while there are any. */
  private reserved: Lane | undefined;
  private nextCall = 1;
  private dueTimer: NodeJS.Timeout | undefined;
  private draining = false;
  windowFull = false;

  constructor(params: DispatcherParams) {
    this.params = params;
  }

  /** Starts the lanes and waits until they are warm. @throws MillraceError LANE_FAILED. */
  async start(): Promise<void> {
    await this.params.lanes.start({
      onBegin: (call) => this.watch(call),
      onEnd: (call, end) => this.onEnd(call, end),
      onDeath: (unfinished, reason) => this.onDeath(unfinished, reason),
      onRoom: () => {
        this.params.onLaneStart();
        this.pump();
      },
    });
  }

  /** Takes in the items of a task; when it ends early, what nobody else wants of it goes. */
  submit(task: HeldTask): void {
    const { same } = this.params;
    if (task.params.suspect) this.suspects.push(...same.enterApart(task).map((item) => [item]));
    else same.enter(task);
    this.pump();
  }

  /** Forms no more calls; gives back the tasks that wait with any item. The others go on until they end. */
  drain(): HeldTask[] {
    this.draining = true;
    clearTimeout(this.dueTimer);
    const { batcher, same } = this.params;
    return [...tasksOf([...batcher.drain(), ...same.drain(), ...this.suspects.splice(0).flat()])];
  }

  /** Sends calls as long as a lane has room and the batcher thinks it time. */
  pump(): void {
    if (this.draining) return;
    this.sendSuspects();
    const { lanes, batcher } = this.params;
    for (let lane = lanes.next(this.reserved); lane !== undefined; lane = lanes.next(this.reserved)) {
      const taken = batcher.take({ laneIdle: lane.state === 'idle', windowFull: this.windowFull });
      if (taken.length === 0) break;
      this.send(lane, taken);
    }
    this.sendAhead();
    this.params.onWindow();
    this.armDueTimer();
  }

  /** Suspects have a lane for themselves, one call at a time, while the other lanes go on as usual. */
  private sendSuspects(): void {
    if (this.suspects.length === 0 || !this.reserved?.takesCalls) this.reserved = undefined;
    if (this.suspects.length === 0) return;
    this.reserved ??= this.params.lanes.next();
    while (this.reserved?.state === 'idle') {
      const group = this.suspects.shift();
      if (group !== undefined) this.send(this.reserved, group, { alone: true });
      // All that were left had ended meanwhile: nothing will come back from the lane, and it is there for others.
      else this.reserved = undefined;
    }
  }

  /** What is more urgent than all that waits in a lane goes ahead of it, so that it waits for one call at most. */
  private sendAhead(): void {
    const { lanes, batcher } = this.params;
    const urgent = batcher.mostUrgentPriority;
    if (urgent === undefined) return;
    const isLessUrgent = ({ id }: LaneCall) =>
      this.sent.get(id)?.items.every((item) => batcher.rankOf(item) > urgent) ?? false;
    const lane = lanes.passable(isLessUrgent, this.reserved);
    if (lane !== undefined) this.send(lane, batcher.takeUrgent(), { ahead: true });
  }

  /** `alone`: the lane has nothing else, so that an item that is alone in the call is alone in the lane. */
  private send(lane: Lane, items: readonly QueuedItem[], { alone = false, ahead = false } = {}): void {
    const wanted = items.filter((item) => this.isWanted(item));
    if (wanted.length === 0) return;
    const call = this.createCall(wanted, this.freePlace(lane));
    const record = this.recordOf(call, alone);
    // Alone, it also takes the places of the calls before it, which have ended: a death now is not theirs.
    const places = alone ? allPlaces : [call.place];
    for (const one of places) this.params.noteCall(`${lane.id}:${one}`, record);
    lane.run(call.lane, { ahead });
  }

  /** A place that none of the calls that a lane holds is noted at. */
  private freePlace({ calls }: Lane): number {
    const taken = calls.map(({ id }) => this.sent.get(id)?.place);
    return allPlaces.find((place) => !taken.includes(place)) ?? 0;
  }

  /** Whether any task still wants an item: not those that have ended (a failed mate, cancelled), nor those that expire here. */
  private isWanted(item: QueuedItem): boolean {
    for (const task of takersOf(item)) {
      const { expiresAt } = task.params;
      if (expiresAt !== undefined && task.firstCallAt === null && Date.now() >= expiresAt) task.end(expired);
    }
    if (takersOf(item).length > 0) return true;
    this.params.same.drop(item);
    return false;
  }

  private createCall(items: readonly QueuedItem[], place: number): SentCall {
    const id = this.nextCall;
    this.nextCall += 1;
    let limitMs = Number.POSITIVE_INFINITY;
    for (const { params } of tasksOf(items)) limitMs = Math.min(limitMs, params.timeoutMs);
    const type = items[0]?.taskType.type ?? '';
    const lane = { id, type, items: items.map(({ item }) => item) };
    const call: SentCall = { lane, items, place, limitMs, timer: undefined, timedOut: false };
    this.sent.set(id, call);
    this.params.same.send(items, { id: this.callName(id), limitMs });
    return call;
  }

  /**
   * Of a call that may kill the worker: all tasks that have items in it are suspects then. `alone` only with one task that has one
   * item in it, or a crash would count against several.
   */
  private recordOf({ lane, items }: SentCall, alone: boolean): CallRecord {
    const [only, ...others] = items.flatMap((item) => takersOf(item).flatMap((task) => item.takers.get(task) ?? []));
    return {
      id: this.callName(lane.id),
      jobs: [...tasksOf(items)].map(({ params }) => params.ref.jobId),
      alone: alone && only !== undefined && others.length === 0 ? only : null,
    };
  }

  private callName(id: number): string {
    return `${this.params.workerId}/${this.params.family}-${id}`;
  }

  private watch(laneCall: LaneCall): void {
    const call = this.sent.get(laneCall.id);
    if (call !== undefined) call.timer = setTimeout(() => this.onTimeout(call), call.limitMs);
  }

  /** What it computes cannot be interrupted otherwise. */
  private onTimeout(call: SentCall): void {
    call.timedOut = true;
    this.params.lanes.killHolder(call.lane, `call ${call.lane.id} took longer than ${call.limitMs} ms`);
  }

  private onEnd(laneCall: LaneCall, end: CallEnd): void {
    const call = this.forget(laneCall);
    if (call === undefined) return;
    if (end.kind === 'threw') this.redo(call.items, 'threw', end.message);
    else this.deliver(call, end);
    this.pump();
    this.params.onCallEnd();
  }

  private deliver(call: SentCall, end: Extract<CallEnd, { kind: 'done' }>): void {
    const tasks = tasksOf(call.items);
    const record = {
      id: this.callName(call.lane.id),
      items: call.items.length,
      tasks: tasks.size,
      beganAt: end.beganAt,
      endedAt: end.endedAt,
    };
    for (const task of tasks) task.noteCall(record);
    const { metrics, batcher } = this.params;
    observeCall(metrics, { call: call.lane, end, tasks: tasks.size, fill: batcher.fillOf(call.items) });
    // One that was told to stop did so for the most impatient of its tasks: the others have time left.
    const isStopped = (_: unknown, index: number) => call.timedOut && isTimeout(end.outcomes[index]);
    const isDone = (value: unknown, index: number) => !isStopped(value, index);
    this.params.same.settle(call.items.filter(isDone), end.outcomes.filter(isDone));
    const stopped = call.items.filter(isStopped);
    if (stopped.length > 0) this.redo(stopped, 'timed out', `call ${call.lane.id} was told to stop`);
  }

  private onDeath(unfinished: readonly LaneCall[], reason: string): void {
    unfinished.forEach((laneCall, position) => {
      const call = this.forget(laneCall);
      if (call === undefined) return;
      if (this.draining) for (const task of tasksOf(call.items)) task.end({ kind: 'returned' });
      else if (position === 0) this.redo(call.items, call.timedOut ? 'timed out' : 'died', reason);
      // It waited in the lane and had not begun: it is nobody's fault.
      else this.params.same.putBack(this.wantedOf(call.items));
    });
    this.pump();
  }

  /** Finds who is at fault: what remains is computed again, apart from all others. */
  private redo(items: readonly QueuedItem[], reason: BadEnd, message: string): void {
    const { same } = this.params;
    const verdict = blame(this.wantedOf(items), reason, message);
    for (const { item, tasks, outcome } of verdict.failed) same.fail(item, tasks, outcome);
    same.setApart(verdict.groups.flat());
    this.suspects.push(...verdict.groups);
    const type = items[0]?.taskType.type ?? '';
    const again = verdict.groups.reduce((sum, group) => sum + group.length, 0);
    if (again > 0) this.params.metrics.count('millrace_items_redone_total', { type, reason }, again);
    this.params.log.warn(
      { event: 'call.redone', why: reason, type, items: items.length, again, reason: message },
      'a call did not end well',
    );
  }

  /** Those that some task still wants; the others are dropped. */
  private wantedOf(items: readonly QueuedItem[]): QueuedItem[] {
    for (const item of items) if (takersOf(item).length === 0) this.params.same.drop(item);
    return items.filter((item) => takersOf(item).length > 0);
  }

  private forget({ id }: LaneCall): SentCall | undefined {
    const call = this.sent.get(id);
    clearTimeout(call?.timer);
    this.sent.delete(id);
    return call;
  }

  /** Behind busy lanes items go after a while even when their call is not full. */
  private armDueTimer(): void {
    clearTimeout(this.dueTimer);
    if (this.params.lanes.next(this.reserved) === undefined) return;
    const ms = this.params.batcher.msUntilDue();
    if (ms !== undefined) this.dueTimer = setTimeout(() => this.pump(), Math.max(1, ms));
  }
}

function isTimeout(outcome: ItemOutcome | undefined): boolean {
  return outcome !== undefined && !outcome.ok && outcome.code === 'TASK_TIMEOUT';
}
