import { type Redis, withRedis } from '@millrace/shared/redis/connection';
import { pendingChildren } from '@millrace/shared/redis/job-links';
import type { Keys } from '@millrace/shared/redis/keys';
import { readQueuePlace } from '@millrace/shared/redis/queue-place';
import { readTaskRecord } from '@millrace/shared/redis/task-record';
import type { WorkerRegistry } from '@millrace/shared/redis/workers';
import type { Explanation } from '@millrace/shared/tasks/explanation';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';
import type { Family } from '@millrace/shared/tasks/task';
import { explain, type TaskFacts } from './explain.ts';
import type { TaskReader } from './read.ts';
import { stateOf } from './view.ts';

interface ExplainerParams {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly reader: TaskReader;
  readonly workers: WorkerRegistry;
  readonly now: () => number;
}

/** Parts that are told of a task that waits for them. */
const partsTold = 20;

/** Gathers what is known about a task, and puts it into words. */
export class Explainer {
  private readonly params: ExplainerParams;

  constructor(params: ExplainerParams) {
    this.params = params;
  }

  /** @throws MillraceError TASK_NOT_FOUND, REDIS_UNAVAILABLE. */
  async explain(id: string): Promise<Explanation> {
    const { reader, workers, now } = this.params;
    const { ref, record, view } = await reader.find(id);
    const [place, beats, parts] = await withRedis(() =>
      Promise.all([readQueuePlace(this.params, ref), workers.list(), this.partsOf(ref)]),
    );
    return explain({
      family: ref.family,
      view,
      record,
      place,
      workers: beats.filter(({ families }) => families.includes(ref.family)),
      model: modelOf(ref.family, record.data),
      waitsFor: parts,
      now: now(),
    });
  }

  private async partsOf(ref: TaskRef): Promise<TaskFacts['waitsFor']> {
    const parts = (await pendingChildren(this.params, ref)).slice(0, partsTold);
    return await Promise.all(
      parts.map(async (part) => {
        const record = await readTaskRecord(this.params, part, false);
        return { id: taskIdOf(part), state: record === undefined ? null : stateOf(record) };
      }),
    );
  }
}

/** The model that a task needs, named or not. */
function modelOf(family: Family, data: unknown): string | null {
  if (family !== 'inference') return null;
  const input = fieldOf(data, 'input');
  const model = fieldOf(input, 'model');
  return typeof model === 'string' ? model : bundledModel;
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
}
