import { queueReportSchema } from '@millrace/shared/redis/queue-report';
import { families } from '@millrace/shared/tasks/task';
import { z } from 'zod';
import { batchSchema } from '../runs/batch-view.ts';

const count = z.int().min(0);
const time = z.string().meta({ description: 'ISO 8601.' });

const rateSchema = z.object({
  family: z.enum(families),
  succeeded: z.array(count),
  failed: z.array(count),
});

const laneView = z.object({
  family: z.enum(families),
  state: z.enum(['starting', 'idle', 'busy', 'dead', 'stopped']),
});

const workerView = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  startedAt: time,
  beatAt: time,
  families: z.array(z.enum(families)),
  cores: z.int(),
  memoryBytes: count.meta({ description: 'Of its main thread and its lanes together.' }),
  lanes: z.array(laneView),
  held: count,
  running: z
    .array(z.object({ id: z.string(), type: z.string(), attempt: count, since: time }))
    .meta({ description: 'What it has held longest, up to three.' }),
});

const callView = z.object({
  type: z.string(),
  calls: count,
  items: count,
  itemsPerCall: z.number(),
  tasksPerCall: z.number(),
  fill: z.number().meta({ description: 'Share of its budget that a call used.' }),
  secondsPerCall: z.number(),
});

const collectionView = z.object({
  name: z.string(),
  points: count,
  dimensions: z.int(),
  metric: z.string(),
  copies: count.meta({ description: 'Workers that have it in memory.' }),
  ready: count.meta({ description: 'Those of them that follow its writes.' }),
  lag: count.nullable().meta({ description: 'Versions that the copy furthest behind is behind; null without a copy.' }),
  toIndex: count.nullable().meta({ description: 'Points that the index of that worker with most to do still lacks.' }),
  recall: z.number().nullable().meta({ description: 'The lowest recall@10 of its copies; null before any was taken.' }),
  bytes: count.meta({ description: 'Memory of all copies together.' }),
});

const failureView = z.object({
  family: z.enum(families),
  type: z.string(),
  code: z.string(),
  tasks: count,
  newest: z.object({ id: z.string(), at: time, message: z.string() }),
});

/** Lists are bounded; `total` says how many there are. */
const listOf = <Item extends z.ZodType>(item: Item) => z.object({ total: count, listed: z.array(item) });

export const overviewSchema = z
  .object({
    at: time,
    version: z.string(),
    keys: z.boolean().meta({ description: 'Whether this API asks for a key.' }),
    redis: z.object({
      usedBytes: count,
      limitBytes: count.nullable().meta({ description: "Redis' maxmemory; null when it has none." }),
      refusedFromBytes: count.nullable().meta({ description: 'REDIS_HIGH_WATER: from here on enqueue is refused.' }),
    }),
    queues: z.array(queueReportSchema),
    rates: z.array(rateSchema).meta({
      description:
        'Tasks that workers ended, by minute: 60 counts, the oldest first, the last of the minute that is running.',
    }),
    workers: listOf(workerView),
    calls: z
      .object({
        overMs: z.int().nullable().meta({ description: 'The time that is told of; null: since the workers started.' }),
        types: z.array(callView),
      })
      .meta({ description: 'What the workers computed together: calls of lanes, by task type.' }),
    runs: listOf(batchSchema).meta({ description: 'Open ones, and those that ended last; of the newest 50.' }),
    collections: listOf(collectionView),
    failures: z
      .object({
        examined: count.meta({ description: 'Of each family the newest 500 are looked at.' }),
        total: count.meta({ description: 'All that failed, were cancelled or expired and are remembered.' }),
        groups: z.array(failureView),
      })
      .meta({ description: 'Failed tasks by type and code, the newest group first; not those cancelled or expired.' }),
  })
  .meta({ id: 'Overview', description: 'How all of a mill stands at a moment.' });
export type Overview = z.infer<typeof overviewSchema>;
