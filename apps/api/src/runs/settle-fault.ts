import type { ErrorCode, MillraceError } from '@millrace/shared/errors';
import { hasRunEnded } from '@millrace/shared/redis/runs';
import type { DriveParams } from './drive-run.ts';
import { endRun } from './finish-run.ts';

/** What passes by itself or by somebody's hand: a run waits for that. */
const passing: readonly ErrorCode[] = [
  'REDIS_UNAVAILABLE',
  'STORAGE_FULL',
  'STORAGE_UNAVAILABLE',
  'QUEUE_FULL',
  'CLOSED',
];
/** Faults in a row, with nothing stored between them, after which a run fails with what it has. */
const mostFaults = 5;
/** After so many it fails without its files. */
const mostFaultsInAll = 10;

/**
 * Notes what went wrong with a run. What can pass is told while the run waits; a fault that comes again and again fails it, and so
 * does an input that has gone.
 * @throws when Redis or the store is away.
 */
export async function settleFault(runId: string, error: MillraceError, params: DriveParams): Promise<void> {
  const { runs, holder, now } = params;
  const run = await runs.get(runId);
  if (run === undefined || hasRunEnded(run.status)) return;
  const { code, message } = error;
  if (passing.includes(code)) {
    await runs.write(runId, { holder, changes: { blocked: { code, message } } });
    return;
  }
  const faults = (run.faults ?? 0) + 1;
  const errors = [{ code: code.toLowerCase(), message, line: null, param: null }];
  const isHopeless = code === 'FILE_NOT_FOUND' || faults >= mostFaultsInAll;
  if (isHopeless) return await endRun(run, 'failed', { ...params, changes: { errors } });
  const fails = faults >= mostFaults && run.status !== 'finalizing';
  const ending = fails ? ({ status: 'finalizing', finalizingAt: now(), ending: 'failed', errors } as const) : {};
  await runs.write(runId, { holder, from: [run.status], changes: { faults, ...ending } });
}
