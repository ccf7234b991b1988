import type { Logger } from '@millrace/shared/logger';
import { openQueue, type QueueTelemetry, type TaskQueue } from '@millrace/shared/queues';
import { Cancellations } from '@millrace/shared/redis/cancellations';
import { Collections } from '@millrace/shared/redis/collections';
import { connectRedis, disconnectRedis, type Redis } from '@millrace/shared/redis/connection';
import { EndedTasks } from '@millrace/shared/redis/ended-tasks';
import { IdempotencyKeys } from '@millrace/shared/redis/idempotency-keys';
import { createKeys, type Keys } from '@millrace/shared/redis/keys';
import { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import { Points } from '@millrace/shared/redis/points';
import { ResultStore } from '@millrace/shared/redis/results';
import { TaskIndex } from '@millrace/shared/redis/task-index';
import { WorkerRegistry } from '@millrace/shared/redis/workers';
import type { Door } from '@millrace/shared/tasks/parse';
import { type Family, families } from '@millrace/shared/tasks/task';
import type { WebhookPolicy } from '@millrace/shared/tasks/webhook';
import { AdmissionGate } from './admission.ts';
import { type AdmissionBounds, boundsOf } from './admission-bounds.ts';
import { CollectionAdmin } from './collections.ts';
import { Enqueuer } from './enqueue.ts';
import { Explainer } from './explain-facts.ts';
import { Idempotency } from './idempotency.ts';
import { TaskLister } from './list.ts';
import { ModelCheck } from './model-check.ts';
import { TaskReader } from './read.ts';
import { Retrying } from './retry.ts';
import { Schedules } from './schedules.ts';
import { Steering } from './steer.ts';
import { Waiting } from './waiting.ts';
import { WebhookCheck } from './webhook-check.ts';

/** What a producer or reader works with, opened together and closed together. */
export interface Mill {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queues: ReadonlyMap<Family, TaskQueue>;
  readonly enqueuer: Enqueuer;
  readonly reader: TaskReader;
  readonly waiting: Waiting;
  readonly workers: WorkerRegistry;
  readonly idempotency: Idempotency;
  readonly steering: Steering;
  readonly retrying: Retrying;
  readonly lister: TaskLister;
  readonly explainer: Explainer;
  readonly schedules: Schedules;
  readonly collections: CollectionAdmin;
  readonly webhooks: WebhookCheck;
  close(): Promise<void>;
}

interface MillParams {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly door: Door;
  /** How much may wait; default a million tasks of a family, and four fifths of Redis' maxmemory. */
  readonly bounds?: AdmissionBounds;
  /** Where webhooks may go; default what the mill's API has published. */
  readonly webhooks?: WebhookPolicy;
  readonly log: Logger;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** Lets tasks carry the trace that they were enqueued in. */
  readonly telemetry?: QueueTelemetry | undefined;
}

/** Opens the producer's and reader's side of a mill; Redis may come up later. */
export function openMill({
  redisUrl,
  prefix,
  door,
  bounds = boundsOf({}),
  webhooks: policy,
  log,
  name,
  telemetry,
}: MillParams): Mill {
  const keys = createKeys(prefix);
  const redis = connectRedis({ url: redisUrl, prefix, role: 'producer', name, log });
  const queues = new Map(families.map((family) => [family, openQueue({ family, redis, prefix, log, telemetry })]));
  const results = new ResultStore(redis, keys);
  const reader = new TaskReader({ redis, keys, results });
  const waiting = new Waiting({
    redisUrl,
    redis,
    keys,
    log,
    endings: (family, jobIds) => reader.endings(family, jobIds),
  });
  const webhooks = new WebhookCheck({
    pending: new PendingWebhooks(redis, keys),
    policy,
    now: () => performance.now(),
  });
  return {
    redis,
    keys,
    queues,
    enqueuer: openEnqueuer({ redis, keys, queues, door, webhooks, bounds }),
    reader,
    waiting,
    webhooks,
    ...openSteering({ redis, keys, queues, door, reader, waiting, webhooks }),
    close: async () => {
      await waiting.close();
      // BullMQ's close rejects while Redis is down; the connection is ours to end in any case.
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      await disconnectRedis(redis);
    },
  };
}

type Rooms = Pick<Mill, 'redis' | 'keys' | 'queues' | 'webhooks'> & { readonly door: Door };

function openEnqueuer({ redis, keys, bounds, ...rooms }: Rooms & { readonly bounds: AdmissionBounds }): Enqueuer {
  return new Enqueuer({
    ...rooms,
    gate: new AdmissionGate({ redis, keys, bounds, now: () => performance.now() }),
    models: new ModelCheck({ workers: new WorkerRegistry(redis, keys), now: () => performance.now() }),
    collections: new Collections(redis, keys),
    pending: new PendingWebhooks(redis, keys),
    index: new TaskIndex(redis, keys),
    now: Date.now,
  });
}

type Steered = Pick<
  Mill,
  'workers' | 'idempotency' | 'steering' | 'retrying' | 'lister' | 'explainer' | 'schedules' | 'collections'
>;

/** All that looks at tasks from above and moves them. */
function openSteering(rooms: Rooms & Pick<Mill, 'reader' | 'waiting'>): Steered {
  const { redis, keys, reader } = rooms;
  const now = Date.now;
  const index = new TaskIndex(redis, keys);
  const workers = new WorkerRegistry(redis, keys);
  const cancellations = new Cancellations(redis, keys);
  const schedules = new Schedules({ ...rooms, index, now });
  return {
    workers,
    schedules,
    collections: new CollectionAdmin({
      collections: new Collections(redis, keys),
      points: new Points(redis, keys),
      ...{ workers, now },
    }),
    idempotency: new Idempotency({
      keys: new IdempotencyKeys(redis, keys),
      ended: new EndedTasks(redis, keys),
      ending: (ref) => reader.ending(ref),
      now,
    }),
    steering: new Steering({ ...rooms, cancellations, now }),
    retrying: new Retrying({ ...rooms, cancellations, now }),
    lister: new TaskLister({ redis, keys, index, complete: (family) => schedules.indexArmed(family) }),
    explainer: new Explainer({ redis, keys, reader, workers, now }),
  };
}
