import type { WorkerBeat } from '@millrace/shared/redis/workers';

interface Beat {
  /** ms since 1970. */
  readonly at: number;
  readonly calls: number;
}

/** Calls a second of each worker: between the last two of its beats that were seen, which come only every few seconds. */
export class CallRates {
  private readonly beats = new Map<string, Beat>();
  private readonly rates = new Map<string, number>();

  /** By worker; one that was seen once has none. */
  get perSecond(): ReadonlyMap<string, number> {
    return this.rates;
  }

  note(workers: readonly WorkerBeat[]): void {
    for (const { id, beatAt, lanes } of workers) {
      const beat = { at: Date.parse(beatAt), calls: lanes.reduce((sum, { calls }) => sum + calls, 0) };
      const before = this.beats.get(id);
      if (before?.at === beat.at) continue;
      if (before !== undefined) this.rates.set(id, ((beat.calls - before.calls) / (beat.at - before.at)) * 1000);
      this.beats.set(id, beat);
    }
  }
}
