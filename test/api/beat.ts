import type { WorkerBeat } from '@millrace/shared/redis/workers';

/** A heartbeat as a worker would send it. */
export function beatOf(facts: Partial<WorkerBeat>): WorkerBeat {
  const now = new Date().toISOString();
  return {
    id: 'host-1-aa',
    host: 'host',
    pid: 1,
    version: '0.1.0',
    startedAt: now,
    beatAt: now,
    machine: 'host',
    cores: 2,
    fixedLanes: null,
    families: ['text', 'inference'],
    types: ['inference.embed', 'text.clean'],
    models: [],
    remoteModels: [],
    replicas: [],
    lanes: [],
    memory: { rssBytes: 1, heapUsedBytes: 1 },
    held: 0,
    running: [],
    ...facts,
  };
}
