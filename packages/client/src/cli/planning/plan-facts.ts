import type { QueueReport } from '@millrace/shared/redis/queue-report';
import type { WorkerBeat } from '@millrace/shared/redis/workers';
import type { Catalog } from '@millrace/shared/tasks/catalog';
import { bytes, count, perSecond, plural, time } from '../amounts.ts';
import { resultTtlMs } from '../flow/file-run.ts';
import type { Recipe } from '../flow/recipe.ts';
import { listText } from '../task-text.ts';
import { memoryOf } from '../worker-table.ts';
import type { Probe } from './probe.ts';
import type { RedisMemory } from './redis-bytes.ts';
import type { Sample } from './sample.ts';

interface Findings {
  readonly sample: Sample<unknown>;
  readonly measured: Probe;
  readonly remembered: number;
  readonly before: { readonly redis: RedisMemory | undefined; readonly queues: readonly QueueReport[] };
  readonly after: { readonly redis: RedisMemory | undefined; readonly workers: readonly WorkerBeat[] };
  readonly recipe: Recipe<unknown>;
  readonly catalog: Catalog;
}

/** What a plan says; ms and bytes. */
export interface PlanFacts {
  readonly records: number;
  readonly items: number;
  readonly faults: readonly { readonly message: string; readonly count: number; readonly line: number }[];
  readonly meanCharacters: number;
  readonly measured: {
    readonly items: number;
    readonly failed: number;
    readonly ms: number;
    readonly isWhole: boolean;
  };
  /** The share of tasks that workers answered from memory, from 0 to 1: as fast is only what was computed lately. */
  readonly remembered: number;
  readonly perMinute: number;
  readonly totalMs: number;
  readonly memory: { readonly workersBytes: number; readonly clientBytes: number };
  readonly redis: {
    readonly bytesPerItem: number;
    /** Whether that was seen in Redis, or told by the task type. */
    readonly isMeasured: boolean;
    /** While the whole file goes through: results are kept for a short while only. */
    readonly peakBytes: number;
    readonly limitBytes: number | null;
  };
  /** Tasks of others that waited or ran when it began. */
  readonly others: number;
}

/** What follows from a probe for the whole file. */
export function planFacts({ sample, measured, remembered, before, after, recipe, catalog }: Findings): PlanFacts {
  const { records, items, characters, faults } = sample;
  const perMs = measured.items / measured.ms;
  const seen = seenBytes(before.redis, after.redis, measured.allItems);
  const bytesPerItem = seen ?? toldBytes(sample.chosen, recipe, catalog);
  const atOnce = Math.min(items, perMs * resultTtlMs);
  return {
    records,
    items,
    faults: [...faults].map(([message, fault]) => ({ message, ...fault })),
    meanCharacters: Math.round(characters / items),
    measured: {
      items: measured.items,
      failed: measured.failed,
      ms: Math.round(measured.ms),
      isWhole: measured.isWhole,
    },
    remembered,
    perMinute: Math.round(perMs * 60_000),
    totalMs: Math.round(items / perMs),
    memory: {
      workersBytes: after.workers.reduce((sum, worker) => sum + memoryOf(worker), 0),
      clientBytes: process.memoryUsage.rss(),
    },
    redis: {
      bytesPerItem: Math.round(bytesPerItem),
      isMeasured: seen !== undefined,
      peakBytes: Math.round(bytesPerItem * atOnce),
      limitBytes: after.redis?.limit ?? null,
    },
    others: before.queues.reduce((sum, { counts }) => sum + counts.queued + counts.running, 0),
  };
}

/** How much Redis grew, by item; undefined when it did not, or cannot be seen. */
function seenBytes(before: RedisMemory | undefined, after: RedisMemory | undefined, items: number): number | undefined {
  if (before === undefined || after === undefined || after.used <= before.used) return undefined;
  return (after.used - before.used) / items;
}

/** What the task type reckons with: input and result. */
function toldBytes(chosen: readonly unknown[], recipe: Recipe<unknown>, catalog: Catalog): number {
  const [first] = chosen;
  const taskType = catalog.get(recipe.type);
  if (first === undefined) return 0;
  const group: unknown[] = [first];
  for (const item of chosen.slice(1)) {
    if (!recipe.fits(group, item, group.length)) break;
    group.push(item);
  }
  const input = recipe.inputOf(group);
  const inputBytes = Buffer.byteLength(JSON.stringify(input));
  return (inputBytes + (taskType?.resultBytes(input, inputBytes) ?? inputBytes)) / group.length;
}

/** The same for a person. */
export function planText(facts: PlanFacts, unit: string): string {
  const { records, items, measured, perMinute, totalMs, memory, redis, others } = facts;
  const bad = facts.faults.map(
    ({ message, count: times, line }) => `${count(times)} not usable, first in line ${count(line)}: ${message}`,
  );
  const { limitBytes } = redis;
  const limit = limitBytes === null ? '' : ` of ${bytes(limitBytes)}`;
  return listText([
    [
      'file',
      `${plural(records, unit)}, ${count(items)} to compute, ${count(facts.meanCharacters)} characters each on average`,
    ],
    ...bad.slice(0, 3).map((text): [string, string] => ['', text]),
    [
      'measured',
      `${count(measured.items)} in ${time(measured.ms)}, ${measured.isWhole ? 'the whole of it' : 'drawn at random from all of it'}${measured.failed > 0 ? `, ${count(measured.failed)} in tasks that failed` : ''}`,
    ],
    [
      'careful',
      facts.remembered === 0
        ? undefined
        : `${Math.round(facts.remembered * 100)} % of it was computed lately, and workers answered from memory: what they do not know is slower`,
    ],
    ['speed', `${count(perMinute)} a minute (${perSecond(perMinute / 60)})`],
    ['time', `about ${time(totalMs)} for all of it`],
    ['memory', `workers ${bytes(memory.workersBytes)}, this command ${bytes(memory.clientBytes)}`],
    [
      'Redis',
      `${bytes(redis.bytesPerItem)} for each (${redis.isMeasured ? 'measured' : 'estimated'}), at most about ${bytes(redis.peakBytes)}${limit} at once: results are kept for ${time(resultTtlMs)}`,
    ],
    [
      'others',
      others === 0 ? undefined : `${plural(others, 'other task')} waited or ran: without them it may be faster`,
    ],
  ]);
}
