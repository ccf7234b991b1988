import { Metrics } from '@millrace/shared/metrics';
import { succeeded } from '@millrace/shared/tasks/processor';
import { Batcher } from '../dist/batch/batcher.js';
import type { HeldTask } from '../dist/process/held-task.js';
import { KnownValues, type SharedValues } from '../dist/process/known-values.js';
import type { QueuedItem } from '../dist/process/queued-item.js';
import { RecentValues } from '../dist/process/recent-values.js';
import { SameItems } from '../dist/process/same-items.js';

const limits = { items: 4, cost: 1000, padded: false, waitMs: 20 };

/** The rooms between pull and lanes, and a lane that computes when it is told to. */
export function openRooms({ memory = 0, shared }: { memory?: number; shared?: SharedValues } = {}) {
  const batcher = new Batcher<QueuedItem>({ limits, agingMs: 60_000, now: () => 0 });
  const known = new KnownValues({ recent: new RecentValues(memory), shared });
  const metrics = new Metrics();
  let lookUps = 0;
  const onLookedUp = () => {
    lookUps += 1;
  };
  const same = new SameItems({ batcher, known, metrics, now: () => 0, onLookedUp });
  const computed: string[] = [];
  let calls = 0;
  /** Sends the next call. */
  const send = () => {
    const items = batcher.take({ laneIdle: true, windowFull: true });
    calls += 1;
    same.send(items, { id: `call-${calls}`, limitMs: 1000 });
    computed.push(...items.map(({ item }) => String(item)));
    return items;
  };
  /** Ends a call: every text is its own value, made by `by`. */
  const end = (items: readonly QueuedItem[], by = 'model 1') =>
    same.settle(
      items,
      items.map(({ item }) => succeeded({ text: String(item), by })),
    );
  const computeAll = (by?: string) => {
    while (batcher.size > 0) end(send(), by);
  };
  const shares = async (from: string) => {
    const metric = await metrics.registry.getSingleMetric('millrace_items_shared_total')?.get();
    return metric?.values.find(({ labels }) => labels['from'] === from)?.value ?? 0;
  };
  return { batcher, known, same, computed, send, end, computeAll, shares, lookUps: () => lookUps };
}

export type Rooms = ReturnType<typeof openRooms>;

/** The values of a task that succeeds, or how it ended. */
export async function valuesOf(task: HeldTask): Promise<unknown> {
  const end = await task.ended;
  return end.kind === 'succeeded' ? end.values : end;
}

/** The values that texts have. */
export const valued = (texts: readonly string[], by = 'model 1') => texts.map((text) => ({ text, by }));
/** A turn of the event loop: what follows from the end of a task has happened. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));
