import { z } from 'zod';
import { families } from '../tasks/task.ts';
import { replicaFacts } from '../tasks/vector/collection-view.ts';
import type { Redis } from './connection.ts';
import type { Keys } from './keys.ts';
import { Script } from './script.ts';

/** A worker beats this often; after `deadAfterMs` without a beat it is gone. */
export const beatEveryMs = 3000;
export const deadAfterMs = 12_000;

const laneSchema = z.object({
  id: z.string(),
  family: z.enum(families),
  state: z.enum(['starting', 'idle', 'busy', 'dead', 'stopped']),
  pid: z.int().nullable(),
  rssBytes: z.int().nullable(),
  calls: z.int().meta({ description: 'Calls that ended since the worker started.' }),
  restarts: z.int(),
  recycled: z.int().meta({ description: 'How many of the restarts were because it was above LANE_MEMORY.' }),
});

const runningSchema = z.object({
  id: z.string(),
  type: z.string(),
  attempt: z.int(),
  since: z.string().meta({ description: 'When the worker pulled it.' }),
  batch: z.string().nullable().meta({ description: 'The call that carries its items now or did last.' }),
});

const replicaSchema = replicaFacts.extend({ collection: z.string() });
export type ReplicaBeat = z.infer<typeof replicaSchema>;

/** What a worker says of itself with each beat. */
export const workerSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  startedAt: z.string(),
  beatAt: z.string(),
  machine: z.string().meta({ description: 'Workers of one machine share its cores.' }),
  cores: z.int().meta({ description: 'The cores that its machine lets it use.' }),
  fixedLanes: z.int().nullable().meta({ description: 'INFERENCE_LANES, when it is set.' }),
  families: z.array(z.enum(families)),
  types: z.array(z.string()),
  models: z.array(
    z.object({
      name: z.string(),
      fingerprint: z.string().nullable().meta({ description: 'Null until it is loaded.' }),
      warm: z.boolean().meta({ description: 'Some process of it has it loaded.' }),
      pinned: z.boolean().meta({ description: 'Its folder pins its files: SHA256SUMS.' }),
    }),
  ),
  remoteModels: z
    .array(z.string())
    .meta({ description: 'What it may bring from the hub: names, org/* or *; ALLOW_REMOTE_MODELS.' }),
  lanes: z.array(laneSchema),
  replicas: z.array(replicaSchema).meta({ description: 'Its copies of collections.' }),
  memory: z.object({ rssBytes: z.int(), heapUsedBytes: z.int() }),
  held: z.int().meta({ description: 'Tasks that it holds, waiting in its batchers or computing.' }),
  running: z.array(runningSchema).meta({ description: 'What it holds; at most 256 are listed.' }),
});
export type WorkerBeat = z.infer<typeof workerSchema>;
export type LaneBeat = z.infer<typeof laneSchema>;

/** A worker that could not beat while Redis is full would be taken for dead, and its tasks for suspects. */
const writeBeat = new Script('beat', { beyondLimit: true });

/** The workers' heartbeats. Written by each worker, read by anyone; a worker that dies is gone after `deadAfterMs`. */
export class WorkerRegistry {
  private readonly redis: Redis;
  private readonly keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.redis = redis;
    this.keys = keys;
  }

  /** Says that a worker lives, what it is doing, and its metrics (prom-client's JSON). */
  async beat(worker: WorkerBeat, metrics: unknown): Promise<void> {
    const { keys } = this;
    await writeBeat.run(
      this.redis,
      [keys.worker(worker.id), keys.workerMetrics(worker.id), keys.workers],
      [worker.id, JSON.stringify(worker), JSON.stringify(metrics), deadAfterMs],
    );
  }

  /** Says goodbye. */
  async remove(id: string): Promise<void> {
    await Promise.all([
      this.redis.del(this.keys.worker(id), this.keys.workerMetrics(id)),
      this.redis.srem(this.keys.workers, id),
    ]);
  }

  /** Every worker that lives, by id. */
  async list(): Promise<WorkerBeat[]> {
    const beats = await this.readEach<WorkerBeat>((id) => this.keys.worker(id));
    return [...beats.values()].sort((a, b) => a.id.localeCompare(b.id));
  }

  /** prom-client's JSON of every worker that lives, by worker id. */
  async metrics(): Promise<Map<string, unknown>> {
    return await this.readEach<unknown>((id) => this.keys.workerMetrics(id));
  }

  private async readEach<T>(keyOf: (id: string) => string): Promise<Map<string, T>> {
    const ids = await this.redis.smembers(this.keys.workers);
    if (ids.length === 0) return new Map();
    const values = await this.redis.mget(ids.map(keyOf));
    const gone = ids.filter((_, index) => values[index] === null);
    if (gone.length > 0) await this.redis.srem(this.keys.workers, ...gone);
    const pairs = ids.flatMap((id, index): [string, T][] => {
      const value = values[index];
      return value ? [[id, JSON.parse(value) as T]] : [];
    });
    return new Map(pairs);
  }
}
