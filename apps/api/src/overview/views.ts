import type { Run } from '@millrace/shared/redis/run-record';
import { hasRunEnded } from '@millrace/shared/redis/runs';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { CollectionState } from '@millrace/shared/tasks/vector/collection';
import { batchOf } from '../runs/batch-view.ts';
import type { Overview } from './overview-schema.ts';

type WorkerView = Overview['workers']['listed'][number];
type CollectionView = Overview['collections']['listed'][number];

const runningListed = 3;
const endedRunsListed = 8;

/** A worker as the page shows it. */
export function workerView(beat: WorkerBeat): WorkerView {
  const { id, host, pid, version, startedAt, beatAt, families, cores, lanes, memory, held, running } = beat;
  const longest = [...running].sort((a, b) => a.since.localeCompare(b.since)).slice(0, runningListed);
  return {
    ...{ id, host, pid, version, startedAt, beatAt, families, cores, held },
    memoryBytes: lanes.reduce((sum, { rssBytes }) => sum + (rssBytes ?? 0), memory.rssBytes),
    lanes: lanes.map(({ family, state }) => ({ family, state })),
    running: longest.map(({ id: task, type, attempt, since }) => ({ id: task, type, attempt, since })),
  };
}

/** Open runs, then those that ended last, newest first each; `runs` come newest first. */
export function runViews(runs: readonly Run[]): Overview['runs'] {
  const open = runs.filter(({ status }) => !hasRunEnded(status));
  const ended = runs.filter(({ status }) => hasRunEnded(status)).slice(0, endedRunsListed);
  return { total: runs.length, listed: [...open, ...ended].map(batchOf) };
}

/** A collection, and how the copies of all workers stand. */
export function collectionView(
  { collection, points }: CollectionState,
  workers: readonly WorkerBeat[],
): CollectionView {
  const copies = workers.flatMap(({ replicas = [] }) => replicas.filter((one) => one.collection === collection.name));
  const recalls = copies.flatMap(({ recall }) => (recall === null ? [] : [recall]));
  return {
    name: collection.name,
    points,
    dimensions: collection.dimensions,
    metric: collection.metric,
    copies: copies.length,
    ready: copies.filter(({ state }) => state === 'following').length,
    lag: copies.length === 0 ? null : Math.max(...copies.map(({ lag }) => lag)),
    toIndex: copies.length === 0 ? null : Math.max(...copies.map(({ toIndex }) => toIndex)),
    recall: recalls.length === 0 ? null : Math.min(...recalls),
    bytes: copies.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
