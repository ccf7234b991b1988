import type { Mill } from '@millrace/client/mill';
import { MillraceError } from '@millrace/shared/errors';
import type { Metrics } from '@millrace/shared/metrics';
import type { Run, RunChanges, RunStatus } from '@millrace/shared/redis/run-record';
import { hasRunEnded, type Runs } from '@millrace/shared/redis/runs';
import type { Door } from '@millrace/shared/tasks/parse';
import type { FileStore } from '../files/file-store.ts';
import type { Files } from '../files/files.ts';
import { endRun, finishRun } from './finish-run.ts';
import type { Heartbeat } from './heartbeat.ts';
import { inputLines } from './input-lines.ts';
import { Interruption } from './interruption.ts';
import { validateInput } from './validate-input.ts';
import type { WindowLimits } from './window.ts';
import { workThrough } from './work-through.ts';

/** What driving a run takes. */
export interface DriveParams {
  readonly mill: Mill;
  readonly door: Door;
  readonly store: FileStore;
  readonly files: Files;
  readonly runs: Runs;
  readonly metrics: Metrics;
  /** RUN_WINDOW, and its bound in bytes. */
  readonly window: WindowLimits;
  /** RUN_LINES. */
  readonly mostLines: number;
  /** The longest line, in bytes. */
  readonly longestLine: number;
  /** FILES_TTL, in ms. */
  readonly ttlMs: number;
  readonly holder: string;
  readonly now: () => number;
}

interface Drive extends DriveParams {
  /** Other for each time that a run is driven. */
  readonly writer: string;
  readonly heart: Heartbeat;
}

/**
 * Brings a run to its end, step by step, each by what its record says; so it can begin anywhere, and again after a crash.
 * Returns when the run has ended or is not this process's any more.
 * @throws MillraceError of store and Redis, and whatever is wrong with Millrace itself: the run stays as it is then.
 */
export async function driveRun(runId: string, drive: Drive): Promise<void> {
  for (;;) {
    const run = await drive.runs.get(runId);
    if (run === undefined || hasRunEnded(run.status)) return;
    try {
      await takeStep(run, drive);
    } catch (error) {
      if (!(error instanceof Interruption)) throw error;
      if (error.why === 'lost' || error.why === 'closing') return;
    }
  }
}

async function takeStep(run: Run, drive: Drive): Promise<void> {
  switch (run.status) {
    case 'validating':
      return await validate(run, drive);
    case 'in_progress':
      return await proceed(run, drive);
    case 'cancelling':
      return await cancel(run, drive);
    case 'finalizing':
      drive.heart.begin({ cancellable: false, expiresAt: undefined }).throwIfAborted();
      return await finishRun(run, run.ending ?? 'completed', drive);
    case 'failed':
    case 'completed':
    case 'expired':
    case 'cancelled':
  }
}

async function validate(run: Run, drive: Drive): Promise<void> {
  const signal = drive.heart.begin({ cancellable: true, expiresAt: undefined });
  const { mostLines, now } = drive;
  const lines = await linesOf(run, drive);
  const { total, errors } = await validateInput(lines, { endpoint: run.endpoint, mostLines, signal });
  if (errors.length > 0) return await endRun(run, 'failed', { ...drive, changes: { errors: [...errors] } });
  await move(run, drive, { status: 'in_progress', inProgressAt: now(), total });
}

/** When its time is over a run is looked through once more, for what has ended already. */
async function proceed(run: Run, drive: Drive): Promise<void> {
  const isOver = drive.now() >= run.expiresAt;
  const signal = drive.heart.begin({ cancellable: true, expiresAt: isOver ? undefined : run.expiresAt });
  const ending = isOver ? 'expired' : undefined;
  await workThrough({ ...drive, run, lines: await linesOf(run, drive), ending, signal });
  await move(run, drive, { status: 'finalizing', finalizingAt: drive.now(), ending: ending ?? 'completed' });
}

async function cancel(run: Run, drive: Drive): Promise<void> {
  const signal = drive.heart.begin({ cancellable: false, expiresAt: undefined });
  // Before that nothing was begun.
  if (run.inProgressAt !== undefined) {
    await workThrough({ ...drive, run, lines: await linesOf(run, drive), ending: 'cancelled', signal });
  }
  signal.throwIfAborted();
  await finishRun(run, 'cancelled', drive);
}

/** Where somebody else has moved it meanwhile, its record tells. @throws Interruption when the run is another's. */
async function move(run: Run, { runs, holder }: Drive, changes: RunChanges & { status: RunStatus }): Promise<void> {
  const written = await runs.write(run.id, { holder, from: [run.status], changes });
  if (written === 'lost' || written === 'missing') throw new Interruption('lost');
}

/** @throws MillraceError FILE_NOT_FOUND. */
async function linesOf(run: Run, { store, longestLine: longest }: Drive) {
  const file = run.inputFileId;
  const bytes = await store.size(file);
  if (bytes === undefined) throw new MillraceError('FILE_NOT_FOUND', `The input ${file} is not in the store any more.`);
  return inputLines({ store, file, bytes, from: run.cursor, longest });
}
