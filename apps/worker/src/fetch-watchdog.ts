import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import type { Family } from '@millrace/shared/tasks/task';

interface WatchdogParams {
  readonly family: Family;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Whether slots are free. */
  readonly hasRoom: () => boolean;
  /** When a job was fetched last, in ms of `now`. */
  readonly lastFetchAt: () => number;
  /** Whether work waits that could be fetched. */
  readonly workWaits: () => Promise<boolean>;
  /** Opens the fetching anew. */
  readonly heal: () => Promise<void>;
}

/** Work that waits while slots are free and nothing is fetched for so long means that fetching is stuck; ms. */
const silentMs = 30_000;
const lookEveryMs = 5000;
/** A look that is so late means that the whole process stood still (a suspend, a SIGSTOP): silence is counted from there; ms. */
const lateMs = 3 * lookEveryMs;

/** Notices when a worker no longer fetches although it could, says so, heals it and counts it. */
export class FetchWatchdog {
  private readonly params: WatchdogParams;
  private timer: NodeJS.Timeout | undefined;
  private healing = false;
  /** From when silence is counted: the start, the last heal, or the end of a standstill. */
  private countedFrom = 0;
  private lookedAt = 0;

  constructor(params: WatchdogParams) {
    this.params = params;
  }

  start(): void {
    this.countedFrom = this.params.now();
    this.lookedAt = this.countedFrom;
    this.timer = setInterval(() => void this.look(), lookEveryMs);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Looks once; the timer does it every few seconds. */
  async look(): Promise<void> {
    const { family, log, metrics, now, hasRoom, lastFetchAt, workWaits, heal } = this.params;
    if (now() - this.lookedAt > lateMs) this.countedFrom = now();
    this.lookedAt = now();
    const since = Math.max(lastFetchAt(), this.countedFrom);
    if (this.healing || !hasRoom() || now() - since < silentMs) return;
    this.healing = true;
    try {
      if (!(await workWaits())) return;
      log.error(
        { event: 'watchdog', family, silentMs: now() - since },
        'work waits and slots are free, but nothing is fetched: fetching is opened anew',
      );
      metrics.count('millrace_watchdog_heals_total', { family });
      await heal();
      this.countedFrom = now();
    } catch (error) {
      log.debug({ event: 'watchdog.failed', error: (error as Error).message }, 'the watchdog could not look');
    } finally {
      this.healing = false;
    }
  }
}
