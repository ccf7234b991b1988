import type { Metrics } from '@millrace/shared/metrics';
import { type ItemOutcome, succeeded } from '@millrace/shared/tasks/processor';
import type { Batcher } from '../batch/batcher.ts';
import type { HeldTask } from './held-task.ts';
import type { KnownValues } from './known-values.ts';
import { giveOutcome, type QueuedItem, takersOf } from './queued-item.ts';

interface SameItemsParams {
  readonly batcher: Batcher<QueuedItem>;
  readonly known: KnownValues;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Called when items that were looked up have come to the batcher or have their values. */
  readonly onLookedUp: () => void;
}

/** Where the value of an item came from that was not computed for itself. */
type From = 'in_flight' | 'memory' | 'redis';

/**
 * Same text, one computation. Takes tasks apart into items and sees to it that those that are the same are computed once: an
 * item whose value is known gets it, one that is the same as one under way takes that one's value, and only what is left goes
 * to the batcher. No task leads: an item is computed as long as any task wants it, so a task that ends early only stops taking.
 */
export class SameItems {
  private readonly params: SameItemsParams;
  /** Items under way that others may join, by type and identity. */
  private readonly underWay = new Map<string, QueuedItem>();
  private readonly lookedUp = new Set<QueuedItem>();
  private lookedUpCost = 0;
  private nextOrder = 0;

  constructor(params: SameItemsParams) {
    this.params = params;
  }

  /** Items that are being looked up, and what they cost together: the window counts them, for most may come to the batcher. */
  get pending(): { readonly items: number; readonly cost: number } {
    return { items: this.lookedUp.size, cost: this.lookedUpCost };
  }

  /** Takes a task in: what is known of it is given to it, what is under way is joined, the rest waits for a call. */
  enter(task: HeldTask): void {
    const { taskType } = task.params;
    const fresh: QueuedItem[] = [];
    const awaited = new Set<QueuedItem>();
    let known = 0;
    task.items.forEach((item, index) => {
      const identity = taskType.identity(item);
      const recent = identity === undefined ? undefined : this.params.known.recent(taskType, item, identity);
      if (recent !== undefined) {
        known += 1;
        task.take(index, succeeded(recent.value));
        return;
      }
      const same = this.find(task, identity);
      if (same === undefined) fresh.push(this.create(task, index, identity));
      else this.join(same, task, index);
      awaited.add(same ?? (fresh.at(-1) as QueuedItem));
    });
    this.count(taskType.type, 'memory', known);
    this.count(taskType.type, 'in_flight', task.items.length - known - fresh.length);
    void task.ended.then(() => this.leave(task, awaited));
    this.begin(fresh);
  }

  /** Takes in a task whose items are to run alone, each for itself: a worker died computing it. Gives them, set apart. */
  enterApart(task: HeldTask): QueuedItem[] {
    const items = task.items.map((_, index) => this.create(task, index, undefined));
    this.setApart(items);
    void task.ended.then(() => this.leave(task, items));
    return items;
  }

  /** Items go to a lane. */
  send(items: readonly QueuedItem[], call: NonNullable<QueuedItem['call']>): void {
    for (const item of items) {
      item.place = 'sent';
      item.call = call;
      for (const task of takersOf(item)) task.callId = call.id;
    }
  }

  /** Items whose call did not end well are to go again, apart from others. */
  setApart(items: readonly QueuedItem[]): void {
    for (const item of items) item.place = 'apart';
  }

  /** Items that no lane has begun wait again. */
  putBack(items: readonly QueuedItem[]): void {
    for (const item of items) item.place = 'waiting';
    this.params.batcher.add(items);
  }

  /** Brings the outcomes of a call to all who wait for them, and keeps the values. */
  settle(items: readonly QueuedItem[], outcomes: readonly ItemOutcome[]): void {
    const pairs = items.flatMap((item, position) => {
      const outcome = outcomes[position];
      return outcome === undefined ? [] : [{ item, outcome }];
    });
    const { known, metrics } = this.params;
    known.keep(pairs.flatMap(({ item, outcome }) => (outcome.ok ? [{ item, value: outcome.value }] : [])));
    metrics.set('millrace_same_text_memory_bytes', {}, known.bytes);
    for (const { item, outcome } of pairs) this.finish(item, outcome);
  }

  /** An item has failed for some tasks; for those that are left it is still under way. */
  fail(item: QueuedItem, tasks: readonly HeldTask[], outcome: ItemOutcome): void {
    giveOutcome(item, tasks, outcome);
    if (takersOf(item).length === 0) this.forget(item);
  }

  /** Drops an item that nobody wants any more, wherever it is. */
  drop(item: QueuedItem): void {
    if (item.place === 'waiting') this.params.batcher.remove([item]);
    this.forget(item);
  }

  /** Gives up what is being looked up: nothing more goes to the batcher. */
  drain(): QueuedItem[] {
    const items = [...this.lookedUp];
    for (const item of items) this.forget(item);
    return items;
  }

  private create(task: HeldTask, index: number, identity: string | undefined): QueuedItem {
    const { taskType, priority, createdAt } = task.params;
    const item = task.items[index];
    const created: QueuedItem = {
      taskType,
      item,
      identity,
      takers: new Map([[task, [index]]]),
      key: `${taskType.type} ${taskType.batchKey(item)}`,
      cost: taskType.cost(item),
      priority,
      arrival: createdAt,
      order: this.nextOrder++,
      since: this.params.now(),
      place: 'waiting',
      call: undefined,
      crashes: 0,
    };
    const key = keyOf(created);
    if (key !== undefined && !this.underWay.has(key)) this.underWay.set(key, created);
    return created;
  }

  /** The same item, if it is under way and a task may join it. */
  private find(task: HeldTask, identity: string | undefined): QueuedItem | undefined {
    const same = this.underWay.get(`${task.params.taskType.type} ${identity}`);
    return identity !== undefined && same !== undefined && mayJoin(task, same) ? same : undefined;
  }

  private join(item: QueuedItem, task: HeldTask, index: number): void {
    const indexes = item.takers.get(task);
    if (indexes !== undefined) {
      indexes.push(index);
      return;
    }
    item.takers.set(task, [index]);
    if (item.place === 'sent') task.callId = item.call?.id ?? null;
    this.raise(item, task);
  }

  /** Lets an item be as urgent as a task that has joined it. */
  private raise(item: QueuedItem, { params }: HeldTask): void {
    const priority = Math.min(item.priority, params.priority);
    const arrival = Math.min(item.arrival, params.createdAt);
    if (priority === item.priority && arrival === item.arrival) return;
    const { batcher } = this.params;
    // The batcher finds an item by its urgency: it must not change in there.
    if (item.place === 'waiting') batcher.remove([item]);
    item.priority = priority;
    item.arrival = arrival;
    if (item.place === 'waiting') batcher.add([item]);
  }

  private begin(items: readonly QueuedItem[]): void {
    const asked = items.filter((item) => this.params.known.mayLookUp(item));
    if (asked.length > 0) void this.lookUp(asked);
    this.params.batcher.add(items.filter(({ place }) => place === 'waiting'));
  }

  private async lookUp(items: readonly QueuedItem[]): Promise<void> {
    for (const item of items) {
      item.place = 'looked up';
      this.lookedUp.add(item);
      this.lookedUpCost += item.cost;
    }
    const values = await this.params.known.lookUp(items);
    // Those that nobody wants any more are forgotten already.
    const wanted = items.filter(({ place }) => place === 'looked up');
    for (const item of wanted) this.endLookUp(item);
    const found = wanted.filter((item) => values.has(item));
    for (const item of found) this.finish(item, succeeded(values.get(item)));
    this.count(items[0]?.taskType.type ?? '', 'redis', found.length);
    this.putBack(wanted.filter((one) => !values.has(one)));
    this.params.onLookedUp();
  }

  /** A task has ended: it takes nothing more. */
  private leave(task: HeldTask, awaited: Iterable<QueuedItem>): void {
    for (const item of awaited) {
      if (item.place === 'done') continue;
      item.takers.delete(task);
      // What a lane computes cannot be stopped, and may be wanted again.
      if (item.takers.size === 0 && item.place !== 'sent') this.drop(item);
    }
  }

  private finish(item: QueuedItem, outcome: ItemOutcome): void {
    this.forget(item);
    giveOutcome(item, takersOf(item), outcome);
  }

  private forget(item: QueuedItem): void {
    this.endLookUp(item);
    item.place = 'done';
    const key = keyOf(item);
    if (key !== undefined && this.underWay.get(key) === item) this.underWay.delete(key);
  }

  private endLookUp(item: QueuedItem): void {
    if (this.lookedUp.delete(item)) this.lookedUpCost -= item.cost;
  }

  private count(type: string, from: From, items: number): void {
    if (items > 0) this.params.metrics.count('millrace_items_shared_total', { type, from }, items);
  }
}

/**
 * Whether a task may take the value of an item that is under way for others. Not of one that was sent with more time than the
 * task gives, whose limit would not be held. Nor, when the task is more urgent, of one that stands apart: that one goes when its
 * turn comes, not by its priority.
 */
function mayJoin({ params }: HeldTask, item: QueuedItem): boolean {
  switch (item.place) {
    case 'looked up':
    case 'waiting':
      return true;
    case 'sent':
      return params.timeoutMs >= (item.call?.limitMs ?? 0);
    case 'apart':
      return params.priority >= item.priority;
    case 'done':
      return false;
  }
}

function keyOf({ taskType, identity }: QueuedItem): string | undefined {
  return identity === undefined ? undefined : `${taskType.type} ${identity}`;
}
