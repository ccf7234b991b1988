import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { CallRecord } from '@millrace/shared/redis/call-records';
import type { Family } from '@millrace/shared/tasks/task';
import type { Batcher } from '../batch/batcher.ts';
import { type CallEnd, callsPerLane, type Lane, type LaneCall } from '../compute/lane.ts';
import type { Lanes } from '../compute/lanes.ts';
import { expired } from './early-ends.ts';
import type { HeldTask } from './held-task.ts';
import { type BadEnd, blame, type QueuedItem } from './isolation.ts';

interface DispatcherParams {
  readonly family: Family;
  readonly workerId: string;
  readonly batcher: Batcher<QueuedItem>;
  readonly lanes: Lanes;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Called whenever items left the batcher or came to it: the window has changed. */
  readonly onWindow: () => void;
  /** Called when a call has ended: the time to look whether something more urgent has come. */
  readonly onCallEnd: () => void;
  /** Notes a call before it is sent; `place` names one of the calls that a lane holds. */
  readonly noteCall: (place: string, call: CallRecord) => void;
}

/** A call that was sent to a lane. */
interface SentCall {
  readonly lane: LaneCall;
  readonly items: readonly QueuedItem[];
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
  private nextOrder = 0;
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
      onRoom: () => this.pump(),
    });
  }

  /** Takes in the items of a task; when it ends early, what is left of it goes. */
  submit(task: HeldTask): void {
    const { taskType, priority, createdAt } = task.params;
    const since = Date.now();
    const items = task.items.map((item, index) => ({
      task,
      index,
      item,
      key: `${taskType.type} ${taskType.batchKey(item)}`,
      cost: taskType.cost(item),
      priority,
      arrival: createdAt,
      order: this.nextOrder++,
      since,
      crashes: 0,
    }));
    if (task.params.suspect) this.suspects.push(...items.map((item) => [item]));
    else this.params.batcher.add(items);
    void task.ended.then(() => this.params.batcher.remove(items));
    this.pump();
  }

  /** Forms no more calls; gives back the tasks that wait with any item. The others go on until they end. */
  drain(): HeldTask[] {
    this.draining = true;
    clearTimeout(this.dueTimer);
    const waiting = new Set(
      [...this.params.batcher.drain(), ...this.suspects.splice(0).flat()].map(({ task }) => task),
    );
    return [...waiting].filter((task) => !task.isEnded);
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
    this.params.onWindow();
    this.armDueTimer();
  }

  /** Suspects have a lane for themselves, one call at a time, while the other lanes go on as usual. */
  private sendSuspects(): void {
    if (this.suspects.length === 0 || this.reserved?.state === 'dead') this.reserved = undefined;
    if (this.suspects.length === 0) return;
    this.reserved ??= this.params.lanes.next();
    while (this.reserved?.state === 'idle') {
      const group = this.suspects.shift();
      if (group === undefined) return;
      this.send(this.reserved, group, true);
    }
  }

  /** `alone`: the lane has nothing else, so that an item that is alone in the call is alone in the lane. */
  private send(lane: Lane, items: readonly QueuedItem[], alone = false): void {
    const wanted = items.filter(({ task }) => this.isWanted(task));
    if (wanted.length === 0) return;
    const call = this.createCall(wanted);
    const [only] = wanted;
    const record = {
      id: this.callName(call.lane.id),
      jobs: [...new Set(wanted.map(({ task }) => task.params.ref.jobId))],
      alone: alone && wanted.length === 1 && only !== undefined ? only.index : null,
    };
    const place = call.lane.id % callsPerLane;
    // Alone, it also takes the place of the call before it, which has ended: a death now is not that one's.
    const places = alone ? Array.from({ length: callsPerLane }, (_, index) => index) : [place];
    for (const one of places) this.params.noteCall(`${lane.id}:${one}`, record);
    lane.run(call.lane);
  }

  /** Ended tasks (a failed mate, cancelled) want no more; one whose time to start is over expires here. */
  private isWanted(task: HeldTask): boolean {
    if (task.isEnded) return false;
    const { expiresAt } = task.params;
    if (expiresAt === undefined || task.firstCallAt !== null || Date.now() < expiresAt) return true;
    task.end(expired);
    return false;
  }

  private createCall(items: readonly QueuedItem[]): SentCall {
    const id = this.nextCall;
    this.nextCall += 1;
    const type = items[0]?.task.params.taskType.type ?? '';
    const call: SentCall = {
      lane: { id, type, items: items.map(({ item }) => item) },
      items,
      timer: undefined,
      timedOut: false,
    };
    this.sent.set(id, call);
    for (const { task } of items) task.callId = this.callName(id);
    return call;
  }

  private callName(id: number): string {
    return `${this.params.workerId}/${this.params.family}-${id}`;
  }

  /** A call has its time from when its lane begins it; the strictest task decides. */
  private watch(laneCall: LaneCall): void {
    const call = this.sent.get(laneCall.id);
    if (call === undefined) return;
    const timeoutMs = call.items.reduce(
      (least, { task }) => Math.min(least, task.params.timeoutMs),
      Number.POSITIVE_INFINITY,
    );
    call.timer = setTimeout(() => this.onTimeout(call, timeoutMs), timeoutMs);
  }

  /** What it computes cannot be interrupted otherwise. */
  private onTimeout(call: SentCall, timeoutMs: number): void {
    call.timedOut = true;
    this.params.lanes.killHolder(call.lane, `call ${call.lane.id} took longer than ${timeoutMs} ms`);
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
    const record = {
      id: this.callName(call.lane.id),
      items: call.items.length,
      beganAt: end.beganAt,
      endedAt: end.endedAt,
    };
    const tasks = new Set(call.items.map(({ task }) => task));
    for (const task of tasks) task.noteCall(record);
    this.observe(call, { end, tasks: tasks.size });
    call.items.forEach(({ task, index }, position) => {
      const outcome = end.outcomes[position];
      if (outcome !== undefined) task.take(index, outcome);
    });
  }

  private observe(call: SentCall, { end, tasks }: { end: Extract<CallEnd, { kind: 'done' }>; tasks: number }): void {
    const { metrics } = this.params;
    const { type } = call.lane;
    metrics.observe('millrace_call_items', { type }, call.items.length);
    metrics.observe('millrace_call_tasks', { type }, tasks);
    metrics.observe('millrace_call_seconds', { type }, (end.endedAt - end.beganAt) / 1000);
    const { realTokens = 0, paddedTokens = 0 } = end.stats;
    if (realTokens > 0) metrics.count('millrace_tokens_total', { type, kind: 'real' }, realTokens);
    if (paddedTokens > 0) metrics.count('millrace_tokens_total', { type, kind: 'padded' }, paddedTokens);
  }

  private onDeath(unfinished: readonly LaneCall[], reason: string): void {
    unfinished.forEach((laneCall, position) => {
      const call = this.forget(laneCall);
      if (call === undefined) return;
      if (this.draining) for (const { task } of call.items) task.end({ kind: 'returned' });
      else if (position === 0) this.redo(call.items, call.timedOut ? 'timed out' : 'died', reason);
      // It waited in the lane and had not begun: it is nobody's fault.
      else this.params.batcher.add(call.items.filter(({ task }) => !task.isEnded));
    });
    this.pump();
  }

  /** Finds who is at fault: what remains is computed again, apart from all others. */
  private redo(items: readonly QueuedItem[], reason: BadEnd, message: string): void {
    const verdict = blame(
      items.filter(({ task }) => !task.isEnded),
      reason,
      message,
    );
    for (const { item, outcome } of verdict.failed) item.task.take(item.index, outcome);
    this.suspects.push(...verdict.groups);
    const type = items[0]?.task.params.taskType.type ?? '';
    const again = verdict.groups.reduce((sum, group) => sum + group.length, 0);
    if (again > 0) this.params.metrics.count('millrace_items_redone_total', { type, reason }, again);
    this.params.log.warn(
      { event: 'call.redone', why: reason, type, items: items.length, again, reason: message },
      'a call did not end well',
    );
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
