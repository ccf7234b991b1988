import { Counter, Gauge, Histogram, Registry } from 'prom-client';

interface MetricFacts {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in the unit that the name says. */
  readonly buckets?: readonly number[];
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Every metric, named with its unit; docs/metrics.md lists the same. */
export const metricTable = {
  millrace_http_request_seconds: {
    kind: 'histogram',
    help: 'Time of HTTP requests by route; a ?wait= counts in full.',
    labels: ['method', 'route', 'status'],
    buckets: seconds,
  },
  millrace_tasks_enqueued_total: { kind: 'counter', help: 'Tasks accepted by this API.', labels: ['type'] },
  millrace_tasks_refused_total: {
    kind: 'counter',
    help: 'Tasks refused by this API, by error code.',
    labels: ['code'],
  },
  millrace_waiters: { kind: 'gauge', help: 'Requests of this API that wait for a task to end.', labels: [] },
  millrace_runs_driven: { kind: 'gauge', help: 'Runs that this API drives.', labels: [] },
  millrace_run_lines_total: {
    kind: 'counter',
    help: 'Lines of runs whose outcome this API stored: succeeded, failed, or undone because the run was cancelled or expired.',
    labels: ['endpoint', 'outcome'],
  },
  millrace_run_rests_total: {
    kind: 'counter',
    help: 'Times that this API let a run rest because something went wrong, by error code.',
    labels: ['code'],
  },
  millrace_webhook_deliveries_total: {
    kind: 'counter',
    help: 'Tries of this API to deliver a webhook: delivered, retry (failed, and tried again later), gone (the receiver answered 410), refused (a URL that may not be used) or given_up (the last try failed).',
    labels: ['outcome'],
  },
  millrace_queue_tasks: {
    kind: 'gauge',
    help: 'Tasks by family and state, as Redis has them.',
    labels: ['family', 'state'],
  },
  millrace_queue_oldest_seconds: {
    kind: 'gauge',
    help: 'How long the task whose turn is next in its priority has waited; nothing where none waits. Priorities with a name have it, others their number.',
    labels: ['family', 'priority'],
  },
  millrace_queue_paused: { kind: 'gauge', help: 'Whether a family is paused: 1 or 0.', labels: ['family'] },
  millrace_workers: { kind: 'gauge', help: 'Live workers of a family.', labels: ['family'] },
  millrace_wanted_workers: {
    kind: 'gauge',
    help: 'Workers that would do what may run now within DRAIN_TARGET: work / measured rate of a worker / target. At least 1, at most ten times as many as live; as many as live while no rate is known.',
    labels: ['family'],
  },
  millrace_redis_up: { kind: 'gauge', help: 'Whether Redis answers this API: 1 or 0.', labels: [] },
  millrace_redis_memory_used_bytes: { kind: 'gauge', help: 'Memory that Redis uses, all of it.', labels: [] },
  millrace_redis_memory_limit_bytes: {
    kind: 'gauge',
    help: "Redis' maxmemory; 0 when it has none. Enqueue is refused at REDIS_HIGH_WATER of it.",
    labels: [],
  },
  millrace_tasks_settled_total: {
    kind: 'counter',
    help: 'Attempts that ended: succeeded, failed, retry (failed, and tried again later) or returned (back to the queue, no attempt spent). What is named like no type is `other`.',
    labels: ['type', 'outcome'],
  },
  millrace_task_stage_seconds: {
    kind: 'histogram',
    help: 'Time of a task in each stage: queued (until a worker has pulled it; of a later attempt since it was added), batched (until its first call begins), computing (until its last call ends), settling (until its outcome is in Redis).',
    labels: ['type', 'stage'],
    buckets: seconds,
  },
  millrace_call_items: {
    kind: 'histogram',
    help: 'Items that shared one call of a lane.',
    labels: ['type'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  millrace_call_tasks: {
    kind: 'histogram',
    help: 'Tasks that shared one call of a lane.',
    labels: ['type'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  millrace_call_fill_ratio: {
    kind: 'histogram',
    help: 'Share of its budget that a call used, in items (BATCH_ITEMS) or size (INFERENCE_CALL_TOKENS, 1,000 points, a million characters), whichever is fuller; above 1: one item that is larger.',
    labels: ['type'],
    buckets: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  },
  millrace_call_seconds: { kind: 'histogram', help: 'Time of one call of a lane.', labels: ['type'], buckets: seconds },
  millrace_tokens_total: {
    kind: 'counter',
    help: 'Tokens that models read: real ones, and with padding (padded). Its rate is the tokens per second; 1 - real / padded is what padding wastes.',
    labels: ['type', 'kind'],
  },
  millrace_tasks_recovered_total: {
    kind: 'counter',
    help: 'Tasks that this worker pulled after another had died with them or lost their locks.',
    labels: ['family'],
  },
  millrace_items_redone_total: {
    kind: 'counter',
    help: 'Items that were computed again, because their lane died or was killed, or their call threw.',
    labels: ['type', 'reason'],
  },
  millrace_items_shared_total: {
    kind: 'counter',
    help: 'Items that were not computed for themselves, because the same one was under way (in_flight), was computed lately by this worker (memory) or by any (redis).',
    labels: ['type', 'from'],
  },
  millrace_same_text_memory_bytes: {
    kind: 'gauge',
    help: 'Memory that a worker keeps computed values in (SAME_TEXT_MEMORY).',
    labels: [],
  },
  millrace_result_cache_values_total: {
    kind: 'counter',
    help: 'Values of RESULT_CACHE: looked up and there (hit) or not (miss), written, not written because Redis is tight or slow (refused), or not read or written because it failed or took too long (failed).',
    labels: ['outcome'],
  },
  millrace_result_cache_bytes: {
    kind: 'gauge',
    help: 'Memory of Redis that RESULT_CACHE takes, by estimate, as this worker saw it last.',
    labels: [],
  },
  millrace_batcher_items: { kind: 'gauge', help: 'Items that wait in a batcher.', labels: ['family'] },
  millrace_held_tasks: { kind: 'gauge', help: 'Tasks that a worker holds.', labels: ['family'] },
  millrace_lane_restarts_total: {
    kind: 'counter',
    help: 'Compute processes started again: one died, or was recycled above LANE_MEMORY.',
    labels: ['family', 'reason'],
  },
  millrace_watchdog_heals_total: {
    kind: 'counter',
    help: 'Times that fetching was stuck and was opened anew.',
    labels: ['family'],
  },
  millrace_recall_at_10: {
    kind: 'gauge',
    help: 'Share of the ten nearest points that the index of a collection found, of sampled searches.',
    labels: ['collection'],
  },
  millrace_replica_lag_versions: {
    kind: 'gauge',
    help: "Versions that a worker's copy of a collection is behind; a search waits until it is not.",
    labels: ['collection'],
  },
  millrace_replica_bytes: {
    kind: 'gauge',
    help: "Memory that a worker's copy of a collection takes, by estimate; VECTOR_MEMORY bounds them together.",
    labels: ['collection'],
  },
  millrace_lane_rss_bytes: { kind: 'gauge', help: 'Memory of a compute process.', labels: ['lane'] },
  millrace_process_rss_bytes: { kind: 'gauge', help: 'Memory of the process itself.', labels: [] },
  millrace_event_loop_delay_seconds: {
    kind: 'histogram',
    help: 'Longest time that the main thread was blocked, looked at once a second.',
    labels: [],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
} as const satisfies Record<string, MetricFacts>;

type MetricName = keyof typeof metricTable;
type NameOf<Kind> = {
  [Name in MetricName]: (typeof metricTable)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
type Labels<Name extends MetricName> = Record<(typeof metricTable)[Name]['labels'][number], string>;

/** The metrics of one process, observed by name. */
export class Metrics {
  readonly registry = new Registry();
  private readonly made = new Map<string, Counter | Gauge | Histogram>();

  count<Name extends NameOf<'counter'>>(name: Name, labels: Labels<Name>, by = 1): void {
    this.find(name, Counter).inc(labels, by);
  }

  set<Name extends NameOf<'gauge'>>(name: Name, labels: Labels<Name>, value: number): void {
    this.find(name, Gauge).set(labels, value);
  }

  /** Forgets the values of a gauge whose labels come and go, such as lanes. */
  reset(name: NameOf<'gauge'>): void {
    this.find(name, Gauge).reset();
  }

  observe<Name extends NameOf<'histogram'>>(name: Name, labels: Labels<Name>, value: number): void {
    this.find(name, Histogram).observe(labels, value);
  }

  private find<M extends Counter | Gauge | Histogram>(name: MetricName, kind: new (...args: never[]) => M): M {
    const metric = this.made.get(name) ?? this.make(name);
    if (metric instanceof kind) return metric;
    throw new Error(`${name} is a ${metricTable[name].kind}`);
  }

  private make(name: MetricName): Counter | Gauge | Histogram {
    const facts: MetricFacts = metricTable[name];
    const options = { name, help: facts.help, labelNames: [...facts.labels], registers: [this.registry] };
    const metric =
      facts.kind === 'counter'
        ? new Counter(options)
        : facts.kind === 'gauge'
          ? new Gauge(options)
          : new Histogram({ ...options, buckets: [...(facts.buckets ?? seconds)] });
    this.made.set(name, metric);
    return metric;
  }
}
