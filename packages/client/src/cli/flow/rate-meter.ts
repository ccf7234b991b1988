/** How long back a rate looks, in ms. */
const windowMs = 30_000;
/** Samples are that far apart at least, in ms. */
const apartMs = 250;

/** How far a run is, in whatever it counts. */
export interface Amounts {
  readonly records: number;
  /** Bytes of the input. */
  readonly bytes: number;
}

interface Sample extends Amounts {
  readonly at: number;
}

/** The speed of the last half minute. */
export class RateMeter {
  private readonly samples: Sample[] = [];
  private readonly now: () => number;

  /** `now`: ms of any clock that only goes forward. */
  constructor(now: () => number) {
    this.now = now;
  }

  note(amounts: Amounts): void {
    const at = this.now();
    const last = this.samples.at(-1);
    if (last !== undefined && at - last.at < apartMs && this.samples.length > 1) this.samples.pop();
    this.samples.push({ at, ...amounts });
    while (at - (this.samples[1]?.at ?? at) > windowMs) this.samples.shift();
  }

  /** Per second, up to this moment; undefined while nothing can be said. */
  get perSecond(): Amounts | undefined {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.records === first.records) return undefined;
    const seconds = (this.now() - first.at) / 1000;
    return { records: (last.records - first.records) / seconds, bytes: (last.bytes - first.bytes) / seconds };
  }
}
