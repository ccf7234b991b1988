import path from 'node:path';
import type { Logger } from '@millrace/shared/logger';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis } from '@millrace/shared/redis/connection';
import { DocumentChunks } from '@millrace/shared/redis/document-chunks';
import { createKeys } from '@millrace/shared/redis/keys';
import { Points } from '@millrace/shared/redis/points';
import type { ReplicaBeat } from '@millrace/shared/redis/workers';
import { exactBackend } from './backends/exact.ts';
import { openHnswBackend } from './backends/hnsw.ts';
import { indexTuning } from './index-build.ts';
import { type ReadyReplica, Replicas } from './replicas.ts';
import { Snapshots } from './snapshots.ts';
import { Upkeep } from './upkeep.ts';

/** What a vector lane is set up with. */
export interface VectorSetup {
  readonly redisUrl: string;
  readonly prefix: string;
  /** What replicas may take together, in bytes. */
  readonly memoryBytes: number;
  /** The folder of snapshots, shared by the workers of a machine. */
  readonly snapshotsDir: string;
}

/** What the processors of the vector family work with: Redis, the truth, and the replicas of it. */
export interface VectorSide {
  readonly points: Points;
  readonly chunks: DocumentChunks;
  readonly replicas: Replicas;
  /** What the replicas are like. */
  beats(): ReplicaBeat[];
  close(): Promise<void>;
}

/** Connects a vector lane, loads its replicas and keeps them up to date. */
export async function openVectorSide(
  { redisUrl, prefix, memoryBytes, snapshotsDir }: VectorSetup,
  log: Logger,
): Promise<VectorSide> {
  const redis = connectRedis({
    ...{ url: redisUrl, prefix, log },
    role: 'worker',
    name: `millrace:vector-lane:${process.pid}`,
  });
  const keys = createKeys(prefix);
  const points = new Points(redis, keys);
  const collections = new Collections(redis, keys);
  const hnsw = openHnswBackend();
  if (hnsw === undefined) {
    const line =
      'hnswlib-node is not there: collections are searched exactly, which is slow beyond some thousand points';
    log.warn({ event: 'hnsw.missing' }, line);
  }
  const backend = hnsw ?? exactBackend;
  const folder = path.join(snapshotsDir, folderName(prefix));
  const snapshots = new Snapshots({ folder, backend, log, now: Date.now });
  const replicas = new Replicas({
    collections,
    points,
    backend,
    snapshotOf: (collection) => snapshots.newest(collection),
    memoryBytes,
    tuning: indexTuning,
    log,
  });
  await replicas.start();
  const upkeep = new Upkeep({ replicas, snapshots, log });
  upkeep.start();
  return {
    points,
    chunks: new DocumentChunks(redis, keys),
    replicas,
    beats: () => replicas.list().map(beatOf),
    close: async () => {
      await upkeep.close();
      await replicas.close();
      await disconnectRedis(redis);
    },
  };
}

/** A prefix has braces; several mills may share a folder. */
function folderName(prefix: string): string {
  return encodeURIComponent(prefix);
}

function beatOf({ replica, state }: ReadyReplica): ReplicaBeat {
  const { build, store, version, loaded, bytes, ef, recall } = replica;
  return {
    collection: state.collection.name,
    state: replica.state,
    version,
    lag: Math.max(0, state.version - version),
    points: store.size,
    loaded,
    indexed: build.indexed - build.deadSlots.size,
    toIndex: build.tail.size,
    bytes,
    ef,
    recall,
  };
}
