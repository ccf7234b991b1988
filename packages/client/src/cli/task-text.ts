import type { TaskView } from '@millrace/shared/tasks/task';
import { time } from './amounts.ts';
import type { TextSink } from './shell.ts';

/** So many numbers of a vector are shown to a person. */
const shownNumbers = 4;

/** A task for a person, without its result. */
export function taskText(view: TaskView, { colors }: TextSink): string {
  const { id, type, state, createdAt, startedAt, finishedAt, retryAt, attempt, attempts, worker, progress, error } =
    view;
  const rows: [string, string | undefined][] = [
    ['task', `${colors.bold(id)} (${type})`],
    ['state', stateText(view)],
    ['attempt', attempt === 0 ? undefined : `${attempt} of ${attempts}`],
    ['progress', progress === null || state !== 'running' ? undefined : `${progress.done} of ${progress.total} items`],
    ['created', createdAt],
    ['started', startedAt ?? undefined],
    ['finished', finishedAt ?? undefined],
    ['again at', retryAt ?? undefined],
    ['worker', worker ?? undefined],
    ['time', timingsText(view)],
    ['error', error === undefined ? undefined : `${error.code}: ${error.message}`],
  ];
  return listText(rows);
}

/** Names and values below each other; what has no value is left out. */
export function listText(rows: readonly (readonly [string, string | undefined])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(width)}  ${value}`])).join('\n');
}

function stateText({ state, priority, tags }: TaskView): string {
  const named = tags.length === 0 ? '' : `, tags ${tags.join(', ')}`;
  return `${state}, priority ${priority}${named}`;
}

function timingsText({ timings }: TaskView): string | undefined {
  const { queuedMs, batchedMs, computeMs, settledMs } = timings;
  const stages = { queued: queuedMs, batched: batchedMs, computing: computeMs, settling: settledMs };
  const parts = Object.entries(stages).flatMap(([name, ms]) => (ms === null ? [] : [`${name} ${time(ms)}`]));
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** An output as JSON for programs: vectors are arrays of numbers. */
export function outputJson(output: unknown): unknown {
  return JSON.parse(
    JSON.stringify(output, (_, value: unknown) => (value instanceof Float32Array ? Array.from(value) : value)),
  );
}

/** An output for a person: vectors are told by their first numbers. */
export function outputText(output: unknown): string {
  const shorten = (_: string, value: unknown) => (value instanceof Float32Array ? vectorText(value) : value);
  return JSON.stringify(output, shorten, 2);
}

function vectorText(vector: Float32Array): string {
  const first = Array.from(vector.subarray(0, shownNumbers), (value) => value.toFixed(4));
  return `[${first.join(', ')}${vector.length > shownNumbers ? ', …' : ''}] (${vector.length} numbers)`;
}
