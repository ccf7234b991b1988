import { metricsSchema } from '../metrics/exposition.ts';
import type { Overview } from './overview-schema.ts';

/** How far back calls are told of, in ms. */
const overMs = 60_000;
/** Heartbeats bring a worker's metrics every three seconds; ms between two samples. */
const sampleEveryMs = 3000;
/** Fewer ms between two samples say little. */
const shortestMs = 5000;

/** What a worker's calls of one type came to since it started. */
interface Sums {
  calls: number;
  items: number;
  tasks: number;
  fill: number;
  seconds: number;
}

/** By worker and type. */
type Totals = ReadonlyMap<string, ReadonlyMap<string, Sums>>;

interface Sample {
  /** In ms, from any moment on. */
  readonly at: number;
  readonly totals: Totals;
}

const sumOf: Readonly<Record<string, keyof Sums>> = {
  millrace_call_items_count: 'calls',
  millrace_call_items_sum: 'items',
  millrace_call_tasks_sum: 'tasks',
  millrace_call_fill_ratio_sum: 'fill',
  millrace_call_seconds_sum: 'seconds',
};

interface FiguresParams {
  /** prom-client's JSON of every worker that lives, by worker. */
  readonly read: () => Promise<ReadonlyMap<string, unknown>>;
  readonly now: () => number;
}

/**
 * What was computed together lately. Workers only tell sums since they started, so the last minute is the difference of two
 * looks; after the first look there is nothing yet to take from, and it is all since they started.
 */
export class CallFigures {
  private readonly params: FiguresParams;
  private samples: Sample[] = [];

  constructor(params: FiguresParams) {
    this.params = params;
  }

  /** @throws what `read` does. */
  async read(): Promise<Overview['calls']> {
    const newest = await this.sample();
    const [oldest = newest] = this.samples;
    const ms = newest.at - oldest.at;
    if (ms < shortestMs) return { overMs: null, types: typesOf(newest.totals, undefined) };
    return { overMs: Math.round(ms), types: typesOf(newest.totals, oldest.totals) };
  }

  private async sample(): Promise<Sample> {
    const { read, now } = this.params;
    const last = this.samples.at(-1);
    if (last !== undefined && now() - last.at < sampleEveryMs) return last;
    const at = now();
    const sample = { at, totals: totalsOf(await read()) };
    // After a pause in which nobody looked the samples from before would make the time too long.
    this.samples = [...this.samples.filter((old) => at - old.at <= overMs), sample];
    return sample;
  }
}

function totalsOf(byWorker: ReadonlyMap<string, unknown>): Totals {
  return new Map([...byWorker].map(([worker, json]) => [worker, sumsOf(json)]));
}

function sumsOf(json: unknown): ReadonlyMap<string, Sums> {
  const byType = new Map<string, Sums>();
  // A worker of another version may tell other metrics.
  const { data: metrics = [] } = metricsSchema.safeParse(json);
  for (const { values } of metrics) {
    for (const { metricName, labels, value } of values) {
      const field = sumOf[metricName ?? ''];
      if (field === undefined || value === null) continue;
      const type = String(labels['type']);
      const sums = byType.get(type) ?? nothing();
      sums[field] += value;
      byType.set(type, sums);
    }
  }
  return byType;
}

/** The calls of all workers by type, the busiest first. A worker that was not there before counts in full. */
function typesOf(newest: Totals, before: Totals | undefined): Overview['calls']['types'] {
  const byType = new Map<string, Sums>();
  for (const [worker, types] of newest) {
    for (const [type, sums] of types) {
      const all = byType.get(type) ?? nothing();
      add(all, sums, 1);
      add(all, before?.get(worker)?.get(type) ?? nothing(), -1);
      byType.set(type, all);
    }
  }
  return [...byType]
    .filter(([, { calls }]) => calls > 0)
    .sort(([a, one], [b, other]) => other.items - one.items || a.localeCompare(b))
    .map(([type, { calls, items, tasks, fill, seconds }]) => ({
      type,
      calls,
      items,
      itemsPerCall: items / calls,
      tasksPerCall: tasks / calls,
      fill: fill / calls,
      secondsPerCall: seconds / calls,
    }));
}

function add(all: Sums, sums: Sums, sign: 1 | -1): void {
  for (const field of Object.keys(all) as (keyof Sums)[]) all[field] += sign * sums[field];
}

function nothing(): Sums {
  return { calls: 0, items: 0, tasks: 0, fill: 0, seconds: 0 };
}
