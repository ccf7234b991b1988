import type { QueueReport } from '@millrace/shared/redis/queue-report';
import Table, { type Cell } from 'cli-table3';
import { count, time } from './amounts.ts';
import type { TextSink } from './shell.ts';
import { plainTable } from './table-style.ts';

const heads = [
  'family',
  'scheduled',
  'queued',
  'running',
  'succeeded',
  'failed',
  'oldest',
  'ended/min',
  'drained in',
  'workers',
  'wanted',
];

/** The queues as a table. */
export function queueTable(queues: readonly QueueReport[], { colors }: TextSink): string {
  const table = new Table({
    ...plainTable,
    head: heads.map((name) => colors.dim(name)),
    colAligns: heads.map((_, index) => (index === 0 ? 'left' : 'right')),
  });
  for (const queue of queues) table.push(rowOf(queue, colors));
  return table.toString();
}

function rowOf(queue: QueueReport, colors: TextSink['colors']): Cell[] {
  const { family, paused, counts, oldestWaitingMs, endedPerMinute, drainMs, workers, wantedWorkers } = queue;
  const isShort = workers < wantedWorkers && counts.queued > 0;
  return [
    paused ? `${family} (paused)` : family,
    count(counts.scheduled),
    count(counts.queued),
    count(counts.running),
    count(counts.succeeded),
    counts.failed === 0 ? '0' : colors.red(count(counts.failed)),
    oldestWaitingMs === null ? '-' : time(oldestWaitingMs),
    count(endedPerMinute),
    drainMs === null ? '?' : drainMs === 0 ? '-' : time(drainMs),
    workers === 0 && counts.queued > 0 ? colors.red('0') : String(workers),
    isShort ? colors.yellow(String(wantedWorkers)) : String(wantedWorkers),
  ];
}
