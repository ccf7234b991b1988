import type { WorkerBeat } from '@millrace/shared/redis/workers';
import Table from 'cli-table3';
import { bytes, count, time } from './amounts.ts';
import type { TextSink } from './shell.ts';
import { plainTable } from './table-style.ts';

const heads = ['worker', 'host', 'families', 'lanes', 'busy', 'calls/s', 'holds', 'memory', 'up'];

interface WorkerTableParams {
  readonly workers: readonly WorkerBeat[];
  /** Calls a second, by worker; one that was not seen before has none. */
  readonly rates: ReadonlyMap<string, number>;
  /** ms since 1970. */
  readonly now: number;
}

/** The living workers as a table. */
export function workerTable({ workers, rates, now }: WorkerTableParams, { colors }: TextSink): string {
  if (workers.length === 0) return colors.yellow('No worker runs.');
  const table = new Table({
    ...plainTable,
    head: heads.map((name) => colors.dim(name)),
    colAligns: heads.map((_, index) => (index < 3 ? 'left' : 'right')),
  });
  for (const worker of workers) {
    const { id, host, families, lanes, held, startedAt } = worker;
    const rate = rates.get(id);
    table.push([
      id,
      host,
      families.join(', '),
      String(lanes.length),
      String(lanes.filter(({ state }) => state === 'busy').length),
      rate === undefined ? '-' : rate.toFixed(1),
      count(held),
      bytes(memoryOf(worker)),
      time(now - Date.parse(startedAt)),
    ]);
  }
  return table.toString();
}

/** A worker with its compute processes, in bytes. */
export function memoryOf({ memory, lanes }: WorkerBeat): number {
  return lanes.reduce((sum, { rssBytes }) => sum + (rssBytes ?? 0), memory.rssBytes);
}
