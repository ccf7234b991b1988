import { type ErrorCode, MillraceError, toMillraceError } from '@millrace/shared/errors';
import type { Family } from '@millrace/shared/tasks/task';
import { time } from '../amounts.ts';
import type { AnyMill } from '../open-mill.ts';

interface WatchParams {
  readonly mill: AnyMill;
  readonly family: Family;
  /** How long a mill may be away, in ms. */
  readonly patienceMs: number;
  /** What keeps the run from going on; undefined when nothing does. */
  readonly onHold: (reason: string | undefined) => void;
  /** The mill was away for longer. */
  readonly onGone: (error: MillraceError) => void;
  readonly now: () => number;
}

const outages: readonly ErrorCode[] = ['REDIS_UNAVAILABLE', 'API_UNAVAILABLE'];
/** A look when nothing has come for so long; ms. */
const everyMs = 5000;

/** Looks why nothing comes, when nothing comes: no mill, or no worker. */
export class MillWatch {
  private readonly params: WatchParams;
  private readonly timer: NodeJS.Timeout;
  private heardAt: number;
  private awaySince: number | undefined;
  private isLooking = false;

  constructor(params: WatchParams) {
    this.params = params;
    this.heardAt = params.now();
    this.timer = setInterval(() => void this.look(), everyMs).unref();
  }

  /** Something came. */
  heard(): void {
    this.heardAt = this.params.now();
    this.awaySince = undefined;
    this.params.onHold(undefined);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const { mill, family, now, onHold } = this.params;
    const heardAt = this.heardAt;
    if (this.isLooking || now() - heardAt < everyMs) return;
    this.isLooking = true;
    try {
      const workers = await mill.workers();
      this.awaySince = undefined;
      if (heardAt !== this.heardAt) return;
      const isAlone = !workers.some(({ families }) => families.includes(family));
      onHold(isAlone ? `no worker for ${family}: waiting for one to start` : undefined);
    } catch (error) {
      const found = toMillraceError(error);
      // Whatever else it answers, it is there.
      if (outages.includes(found.code)) this.lost(found);
    } finally {
      this.isLooking = false;
    }
  }

  private lost(error: MillraceError): void {
    const { now, patienceMs, onHold, onGone } = this.params;
    this.awaySince ??= now();
    const awayMs = now() - this.awaySince;
    const who = error.code === 'API_UNAVAILABLE' ? 'The API' : 'Redis';
    if (awayMs < patienceMs) onHold(`${who} does not answer: waiting for it`);
    else onGone(new MillraceError(error.code, `${who} has not answered for ${time(awayMs)}.`, { cause: error }));
  }
}
