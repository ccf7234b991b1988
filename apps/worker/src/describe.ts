import os from 'node:os';
import type { Metrics } from '@millrace/shared/metrics';
import type { ReplicaBeat, WorkerBeat } from '@millrace/shared/redis/workers';
import { taskIdOf } from '@millrace/shared/tasks/ids';
import type { FamilyWorker } from './family.ts';
import type { ModelStore } from './models/model-store.ts';

interface DescriberParams {
  readonly id: string;
  readonly version: string;
  readonly machine: string;
  readonly cores: number;
  readonly fixedLanes: number | null;
  readonly types: readonly string[];
  readonly store: ModelStore;
  readonly workers: readonly FamilyWorker[];
  readonly metrics: Metrics;
}

/** Tasks that a heartbeat lists at most. */
const listedTasks = 256;

/** What a worker says of itself, as it is at each call; its gauges are set on the way. */
export function createDescriber(params: DescriberParams): () => WorkerBeat {
  const { id, version, machine, cores, fixedLanes, types, workers, metrics } = params;
  const startedAt = new Date().toISOString();
  return () => {
    const tasks = workers.flatMap(({ puller }) => puller.tasks);
    for (const { family, batcher, puller } of workers) {
      metrics.set('millrace_batcher_items', { family }, batcher.size);
      metrics.set('millrace_held_tasks', { family }, puller.tasks.length);
    }
    const { rss, heapUsed } = process.memoryUsage();
    const replicas = workers.flatMap(({ lanes }) => [...lanes.replicas]);
    setReplicaGauges(metrics, replicas);
    return {
      id,
      host: os.hostname(),
      pid: process.pid,
      version,
      startedAt,
      beatAt: new Date().toISOString(),
      machine,
      cores,
      fixedLanes,
      families: workers.map(({ family }) => family),
      types: [...types],
      models: modelBeats(params),
      remoteModels: [...params.store.allowed],
      lanes: workers.flatMap(({ lanes }) => lanes.beats()),
      replicas,
      memory: { rssBytes: rss, heapUsedBytes: heapUsed },
      held: tasks.length,
      running: tasks.slice(0, listedTasks).map(({ params: task, callId }) => ({
        id: taskIdOf(task.ref),
        type: task.taskType.type,
        attempt: task.attempt,
        since: new Date(task.pulledAt).toISOString(),
        batch: callId,
      })),
    };
  };
}

/** Collections come and go: what is not said again is forgotten. */
function setReplicaGauges(metrics: Metrics, replicas: readonly ReplicaBeat[]): void {
  for (const name of replicaGauges) metrics.reset(name);
  for (const { collection, lag, bytes, recall } of replicas) {
    metrics.set('millrace_replica_lag_versions', { collection }, lag);
    metrics.set('millrace_replica_bytes', { collection }, bytes);
    if (recall !== null) metrics.set('millrace_recall_at_10', { collection }, recall);
  }
}

const replicaGauges = ['millrace_recall_at_10', 'millrace_replica_lag_versions', 'millrace_replica_bytes'] as const;

function modelBeats({ store, workers }: DescriberParams): WorkerBeat['models'] {
  const loaded = new Map(
    workers.flatMap(({ lanes }) => lanes.loaded.map(({ name, fingerprint }) => [name, fingerprint])),
  );
  return store.models.map(({ name, pinned }) => ({
    name,
    fingerprint: loaded.get(name) ?? null,
    warm: loaded.has(name),
    pinned,
  }));
}
