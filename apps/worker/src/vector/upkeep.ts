import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Logger } from '@millrace/shared/logger';
import { probeRecall } from './recall-probe.ts';
import type { Replicas } from './replicas.ts';
import type { Snapshots } from './snapshots.ts';

interface UpkeepParams {
  readonly replicas: Replicas;
  readonly snapshots: Snapshots;
  readonly log: Logger;
}

/** How often it looks whether anything is to do, in ms. */
const everyMs = 2000;
/** Recall is probed again after so long, in ms, when the collection has changed. */
const probeEveryMs = 60_000;

/** What is done to replicas beside searches, one after the other: snapshots, and a look at the recall of the indexes. */
export class Upkeep {
  private readonly params: UpkeepParams;
  private readonly closing = new AbortController();
  private readonly probed = new Map<string, { readonly version: number; readonly at: number }>();
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
      if (!signal.aborted) await this.round();
    }
  }

  private async round(): Promise<void> {
    const { replicas, snapshots, log } = this.params;
    for (const { replica } of replicas.list()) {
      await snapshots.keep(replica);
      if (!this.isDue(replica.collection.generation, replica.version) || !replica.build.isDone) continue;
      this.probed.set(replica.collection.generation, { version: replica.version, at: performance.now() });
      await probeRecall(replica, { log, random: Math.random, turn });
    }
    await snapshots.sweep(replicas.generations).catch((error: Error) => {
      log.debug({ event: 'snapshots.unswept', reason: error.message }, 'old snapshots were not removed');
    });
  }

  private isDue(generation: string, version: number): boolean {
    const last = this.probed.get(generation);
    return last === undefined || (last.version !== version && performance.now() - last.at > probeEveryMs);
  }
}
