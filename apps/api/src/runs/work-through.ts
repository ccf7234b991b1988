import type { Mill } from '@millrace/client/mill';
import type { Metrics } from '@millrace/shared/metrics';
import type { Run } from '@millrace/shared/redis/run-record';
import type { Runs } from '@millrace/shared/redis/runs';
import { forgetTasks } from '@millrace/shared/sweep/forget-tasks';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import type { Door } from '@millrace/shared/tasks/parse';
import { families } from '@millrace/shared/tasks/task';
import { taskSizeOf } from '../embeddings/split-texts.ts';
import type { FileStore } from '../files/file-store.ts';
import { cutEmbedUnits } from './endpoints/embeddings.ts';
import { cutTaskUnits } from './endpoints/tasks.ts';
import type { InputLine } from './input-lines.ts';
import { Interruption } from './interruption.ts';
import { OutputWriter } from './output-writer.ts';
import { isFault, type RunLine, readRunLine } from './run-line.ts';
import { TaskRunner } from './task-runner.ts';
import type { CutUnits, Unit } from './unit.ts';
import { UnitFlow } from './unit-flow.ts';
import { Window, type WindowLimits } from './window.ts';

interface WorkParams {
  readonly mill: Mill;
  readonly door: Door;
  readonly store: FileStore;
  readonly runs: Runs;
  readonly metrics: Metrics;
  readonly run: Run;
  readonly holder: string;
  readonly writer: string;
  readonly window: WindowLimits;
  /** The input from the run's cursor on. */
  readonly lines: AsyncIterable<readonly InputLine[]>;
  /** Why the run comes to its end before its time; then nothing new is begun. */
  readonly ending: 'cancelled' | 'expired' | undefined;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** The share of a window that is written together: the rest of it keeps the workers busy meanwhile. */
const writtenTogether = 1 / 4;

/**
 * Does the rest of a run, from its cursor on. A run that ends early is looked through instead: what was under way is cancelled,
 * or read if it had ended; a cancelled one only as far as something can be under way, an expired one to its last line.
 * @throws the reason of the signal; Interruption when the run is another's; MillraceError of store and Redis. What was not
 * committed then is met again by the next who does this.
 */
export async function workThrough(params: WorkParams): Promise<void> {
  const { mill, run, ending } = params;
  // However it is left, nothing of it waits any longer.
  const over = new AbortController();
  const signal = AbortSignal.any([params.signal, over.signal]);
  const window = new Window(params.window);
  const runner = new TaskRunner({ mill, run, ending: ending !== undefined, signal });
  const writer = await openWriter(params, window);
  const met = new Map<Unit, TaskRef[]>();
  const work = (unit: Unit) => {
    const refs: TaskRef[] = [];
    met.set(unit, refs);
    return unit.work((task) => runner.run(task, (ref) => refs.push(ref)));
  };
  const flow = new UnitFlow({ units: unitsOf(params), window, work });
  try {
    for (;;) {
      const step = await flow.next(writer.due);
      signal.throwIfAborted();
      if (step.kind === 'end') break;
      if (step.kind === 'done') {
        writer.take(step.unit, step.outcomes, met.get(step.unit) ?? []);
        met.delete(step.unit);
      }
      if (step.kind !== 'done' || writer.isFull) await writer.commit();
    }
    await writer.commit();
  } catch (error) {
    // What had its turn before is not lost over it.
    if (!signal.aborted) await writer.commit().catch(() => {});
    throw error;
  } finally {
    over.abort(new Interruption('closing'));
    await flow.stop();
    await writer.close();
  }
}

async function openWriter(params: WorkParams, window: Window): Promise<OutputWriter> {
  const { mill, runs, run, ending } = params;
  return new OutputWriter({
    ...params,
    window,
    parts: await runs.partCount(run.id),
    mostItems: Math.max(1, params.window.items * writtenTogether),
    tellsUndone: ending === 'expired',
    forget: async (refs) => {
      for (const family of families) {
        const queue = mill.queues.get(family);
        const jobIds = refs.flatMap((ref) => (ref.family === family ? [ref.jobId] : []));
        if (queue !== undefined) await forgetTasks({ redis: mill.redis, keys: mill.keys, family, queue }, jobIds);
      }
    },
  });
}

function unitsOf({ run, door, lines, ending, window }: WorkParams): AsyncGenerator<Unit> {
  const cut: CutUnits = run.endpoint === '/v1/embeddings' ? cutEmbedUnits(taskSizeOf(door)) : cutTaskUnits;
  const units = cut(requestsOf(lines, run));
  return ending === 'cancelled' ? firstOf(units, window) : units;
}

/** The lines were checked when the run was validated, and a file does not change; if it did, those before it are still right. */
async function* requestsOf(
  batches: AsyncIterable<readonly InputLine[]>,
  { endpoint, id }: Run,
): AsyncGenerator<RunLine[]> {
  for await (const lines of batches) {
    const requests: RunLine[] = [];
    for (const line of lines) {
      const read = readRunLine(line, endpoint);
      if (isFault(read)) {
        yield requests;
        throw new Error(`line ${line.number} of ${id} was right when it was validated: ${read.message}`);
      }
      requests.push(read);
    }
    yield requests;
  }
}

/** As many units as a window can have had under way. */
async function* firstOf(units: AsyncGenerator<Unit>, window: WindowLimits): AsyncGenerator<Unit> {
  let items = 0;
  let bytes = 0;
  for await (const unit of units) {
    yield unit;
    items += unit.items;
    bytes += unit.bytes;
    if (items >= window.items || bytes >= window.mostBytes) return;
  }
}
