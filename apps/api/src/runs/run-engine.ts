import { randomBytes, randomUUID } from 'node:crypto';
import { type ErrorCode, type MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { Logger } from '@millrace/shared/logger';
import { isRedisUnavailable, withRedis } from '@millrace/shared/redis/connection';
import { dropLease, holdLease } from '@millrace/shared/redis/lease';
import type { Run } from '@millrace/shared/redis/run-record';
import { leaseName } from '@millrace/shared/redis/runs';
import { type DriveParams, driveRun } from './drive-run.ts';
import { Heartbeat, leaseMs } from './heartbeat.ts';
import { settleFault } from './settle-fault.ts';

interface EngineParams extends Omit<DriveParams, 'holder' | 'window'> {
  /** RUN_WINDOW. */
  readonly windowItems: number;
  readonly log: Logger;
}

/** Runs that this process drives at once. The others wait for their turn. */
const mostDriven = 8;
/**
 * Bytes of input that all of them together have under way: lines may be long, and this process holds what is under way several
 * times over, as text, as task and as answer.
 */
const windowBytes = 4 * 2 ** 20;
const lookEveryMs = 1000;
/** How long a run rests after something went wrong, in ms. */
const restMs = 3000;

/** A run that this process drives. */
interface Driven {
  readonly heart: Heartbeat;
  readonly ended: Promise<void>;
}

/**
 * Drives runs: whichever process takes the lease of an open run drives it, and when that process is gone another does within
 * ten seconds. All that a run is lies in Redis and in the store; what this process knows of it may be lost at any moment.
 */
export class RunEngine {
  private readonly params: EngineParams;
  private readonly holder = `api-${randomUUID()}`;
  private readonly driven = new Map<string, Driven>();
  /** Runs that rest: until when, by the clock. */
  private readonly resting = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private closed = false;

  constructor(params: EngineParams) {
    this.params = params;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), lookEveryMs);
    this.timer.unref();
  }

  /** Something is new about a run: it need not wait for the next look. */
  poke(runId: string): void {
    const driven = this.driven.get(runId);
    if (driven === undefined) void this.look();
    else void driven.heart.beat();
  }

  /** Lets all runs go, so that another process can take them at once. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await this.looking;
    for (const { heart } of this.driven.values()) heart.giveUp('closing');
    await Promise.all([...this.driven.values()].map(({ ended }) => ended));
  }

  /** One look at a time. */
  private async look(): Promise<void> {
    this.looking ??= this.takeRuns().finally(() => {
      this.looking = undefined;
    });
    await this.looking;
  }

  private async takeRuns(): Promise<void> {
    const { runs, log } = this.params;
    try {
      for (const id of await runs.openIds()) {
        if (this.closed || this.driven.size >= mostDriven) return;
        if (this.driven.has(id) || this.rests(id) || !(await this.take(id))) continue;
        this.drive(id);
      }
    } catch (error) {
      if (!isRedisUnavailable(error))
        log.warn({ event: 'runs.look-failed', err: error }, 'runs could not be looked for');
    }
  }

  private rests(id: string): boolean {
    const until = this.resting.get(id);
    if (until === undefined || until > this.params.now()) return until !== undefined;
    this.resting.delete(id);
    return false;
  }

  private async take(id: string): Promise<boolean> {
    const { redis, keys } = this.params.mill;
    return await holdLease(redis, keys.lease(leaseName(id)), { holder: this.holder, ttlMs: leaseMs });
  }

  private drive(id: string): void {
    const { mill, runs, now, log, metrics } = this.params;
    const { redis, keys } = mill;
    const heart = new Heartbeat({ redis, keys, runs, runId: id, holder: this.holder, now });
    const drive = { ...this.driveParams(), heart, writer: randomBytes(4).toString('hex') };
    metrics.set('millrace_runs_driven', {}, this.driven.size + 1);
    log.info({ event: 'run.driving', run: id }, 'this process drives a run');
    const ended = withRedis(() => driveRun(id, drive))
      .then(async () => this.tellLeft(id, await runs.get(id)))
      .catch((error: unknown) => this.rest(id, toMillraceError(error)))
      .finally(async () => {
        heart.stop();
        this.driven.delete(id);
        metrics.set('millrace_runs_driven', {}, this.driven.size);
        await dropLease(redis, keys.lease(leaseName(id)), this.holder).catch(() => {});
      });
    this.driven.set(id, { heart, ended });
  }

  private tellLeft(id: string, run: Run | undefined): void {
    const { status = 'missing', total, completed, failed } = run ?? {};
    const facts = { event: 'run.left', run: id, status, total, completed, failed };
    this.params.log.info(facts, 'this process leaves a run');
  }

  private driveParams(): DriveParams {
    const { driven, holder, params } = this;
    const window = {
      items: params.windowItems,
      mostBytes: windowBytes,
      get bytes() {
        return windowBytes / Math.max(1, driven.size);
      },
    };
    return { ...params, holder, window };
  }

  /** The run goes on where it was, here or elsewhere, as soon as what went wrong is over. */
  private async rest(id: string, error: MillraceError): Promise<void> {
    const { log, now, metrics } = this.params;
    metrics.count('millrace_run_rests_total', { code: error.code });
    this.resting.set(id, now() + restMs);
    const facts = { event: 'run.rests', run: id, code: error.code satisfies ErrorCode };
    if (error.code === 'INTERNAL') log.error({ ...facts, err: error.cause ?? error }, error.message);
    else log.warn(facts, error.message);
    await settleFault(id, error, this.driveParams()).catch(() => {});
  }
}
