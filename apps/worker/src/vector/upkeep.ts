import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@millrace/shared/logger';
import { probeRecall } from './recall-probe.ts';
import type { Replica } from './replica.ts';
import type { Replicas } from './replicas.ts';
import type { Snapshots } from './snapshots.ts';
import { Turns } from './turns.ts';

interface UpkeepParams {
  readonly replicas: Replicas;
  readonly snapshots: Snapshots;
  readonly log: Logger;
}

/** How often it looks whether anything is to do, in ms. */
const everyMs = 2000;
/** Recall is probed again after so long, in ms, when the collection has changed or was searched. */
const probeEveryMs = 60_000;

/** How a replica was when its recall was probed. */
interface Probed {
  readonly version: number;
  readonly queries: number;
  readonly at: number;
}

/** What is done to replicas beside searches, one after the other: snapshots, and a look at the recall of the indexes. */
export class Upkeep {
  private readonly params: UpkeepParams;
  private readonly closing = new AbortController();
  private readonly probed = new WeakMap<Replica, Probed>();
  private running: Promise<void> = Promise.resolve();

  constructor(params: UpkeepParams) {
    this.params = params;
  }

  start(): void {
    this.running = this.run();
  }

  /** What it is at is not waited for longer than a step takes. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.round().catch((error: Error) => {
        this.params.log.warn({ event: 'upkeep.failed', error: error.message }, 'the upkeep of collections failed');
      });
    }
  }

  private async round(): Promise<void> {
    const { replicas, snapshots } = this.params;
    for (const { replica } of replicas.list()) {
      await snapshots.keep(replica);
      if (this.isDue(replica)) await this.probe(replica);
    }
    await snapshots.sweep(replicas.generations);
  }

  private async probe(replica: Replica): Promise<void> {
    const { signal } = this.closing;
    this.probed.set(replica, { version: replica.version, queries: replica.queries.count, at: performance.now() });
    const probe = probeRecall(replica, { log: this.params.log, random: Math.random, turns: new Turns(signal) });
    // A worker that closes stops in the middle.
    await probe.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  private isDue(replica: Replica): boolean {
    if (replica.state !== 'following' || !replica.build.isDone) return false;
    const last = this.probed.get(replica);
    if (last === undefined) return true;
    const isSame = last.version === replica.version && last.queries === replica.queries.count;
    return !isSame && performance.now() - last.at > probeEveryMs;
  }
}
