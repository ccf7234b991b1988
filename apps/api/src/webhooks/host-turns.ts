/** Requests at once to a host that does not answer, by this process: it must not take all the slots. */
const mostUnanswered = 16;
/** A host that has answered within so long answers; ms. */
const answersWithinMs = 1000;
/** Requests that were put off come back one after the other, so many ms apart. */
const stepMs = 100;
/** But none is put off for longer; ms. */
const longestMs = 60_000;

interface Host {
  busy: number;
  /** When it answered last, by the clock. */
  answeredAt: number;
  /** When the one that was put off last comes back. */
  backAt: number;
}

/** Whose turn it is at each host: those that answer may have all the slots of a process, others only a few. */
export class HostTurns {
  private readonly hosts = new Map<string, Host>();
  private readonly now: () => number;

  /** `now`: ms of any clock that only goes forward. */
  constructor(now: () => number) {
    this.now = now;
  }

  /** Takes a turn, to be given back with `end`; or says after how many ms to ask again. */
  begin(name: string): number | undefined {
    const now = this.now();
    const host = this.hosts.get(name) ?? { busy: 0, answeredAt: Number.NEGATIVE_INFINITY, backAt: 0 };
    if (host.busy < mostUnanswered || now - host.answeredAt < answersWithinMs) {
      host.busy += 1;
      this.hosts.set(name, host);
      return undefined;
    }
    host.backAt = Math.min(Math.max(now, host.backAt) + stepMs, now + longestMs);
    return Math.ceil(host.backAt - now);
  }

  /** `answered`: it said something, whatever it was. */
  end(name: string, answered: boolean): void {
    const host = this.hosts.get(name);
    if (host === undefined) return;
    host.busy -= 1;
    if (answered) host.answeredAt = this.now();
    if (host.busy === 0) this.hosts.delete(name);
  }
}
