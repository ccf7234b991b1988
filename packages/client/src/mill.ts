import type { Logger } from '@millrace/shared/logger';
import { openQueue, type TaskQueue } from '@millrace/shared/queues';
import { connectRedis, disconnectRedis, type Redis } from '@millrace/shared/redis/connection';
import { createKeys, type Keys } from '@millrace/shared/redis/keys';
import { ResultStore } from '@millrace/shared/redis/results';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import type { Door } from '@millrace/shared/tasks/parse';
import { type Family, families } from '@millrace/shared/tasks/task';
import { Enqueuer } from './enqueue.ts';
import { TaskReader } from './read.ts';
import { Waiting } from './waiting.ts';

/** What a producer or reader works with, opened together and closed together. */
export interface Mill {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly enqueuer: Enqueuer;
  readonly reader: TaskReader;
  readonly waiting: Waiting;
  readonly workers: WorkerRegistry;
  close(): Promise<void>;
}

interface MillParams {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly door: Door;
  readonly log: Logger;
  /** Shown by CLIENT LIST. */
  readonly name: string;
}

/** Opens the producer's and reader's side of a mill; Redis may come up later. */
export function openMill({ redisUrl, prefix, door, log, name }: MillParams): Mill {
  const keys = createKeys(prefix);
  const redis = connectRedis({ url: redisUrl, role: 'producer', name, log });
  const queues = new Map(families.map((family) => [family, openQueue({ family, redis, prefix, log })]));
  const results = new ResultStore(redis, keys);
  const reader = new TaskReader({ redis, keys, results });
  const waiting = new Waiting({ redisUrl, redis, keys, log, hasEnded: (ref) => reader.hasEnded(ref) });
  return {
    redis,
    keys,
    queues,
    enqueuer: new Enqueuer({ door, queues, now: Date.now }),
    reader,
    waiting,
    workers: new WorkerRegistry(redis, keys),
    close: async () => {
      await waiting.close();
      // BullMQ's close rejects while Redis is down; the connection is ours to end in any case.
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      await disconnectRedis(redis);
    },
  };
}
