import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import { isRedisUnavailable } from '@millrace/shared/redis/connection';
import { beatEveryMs, type WorkerBeat, type WorkerRegistry } from '@millrace/shared/redis/workers';

interface HeartbeatParams {
  readonly registry: WorkerRegistry;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** What the worker says of itself now. */
  readonly describe: () => WorkerBeat;
  /** Called after each beat that Redis has. */
  readonly afterBeat: () => Promise<void>;
}

/** Says every few seconds that the worker lives and what it does, and watches how long the main thread is blocked. */
export class Heartbeat {
  private readonly params: HeartbeatParams;
  private readonly delay = monitorEventLoopDelay({ resolution: 10 });
  private readonly timers: NodeJS.Timeout[] = [];
  private beating: Promise<void> = Promise.resolve();

  constructor(params: HeartbeatParams) {
    this.params = params;
  }

  /** Beats once, and then by itself. */
  async start(): Promise<void> {
    this.delay.enable();
    this.timers.push(
      setInterval(() => this.observeDelay(), 1000),
      setInterval(() => void this.beat(), beatEveryMs),
    );
    await this.beat();
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.delay.disable();
    await this.beating;
    await this.params.registry.remove(this.params.describe().id);
  }

  /** Beats out of turn, when something has changed that others wait for. */
  async beat(): Promise<void> {
    this.beating = this.write();
    await this.beating;
  }

  private async write(): Promise<void> {
    const { registry, metrics, log, describe, afterBeat } = this.params;
    try {
      const worker = describe();
      metrics.set('millrace_process_rss_bytes', {}, worker.memory.rssBytes);
      for (const { id, rssBytes } of worker.lanes) metrics.set('millrace_lane_rss_bytes', { lane: id }, rssBytes ?? 0);
      await registry.beat(worker, await metrics.registry.getMetricsAsJSON());
      await afterBeat();
    } catch (error) {
      if (!isRedisUnavailable(error))
        log.warn({ event: 'beat.failed', error: (error as Error).message }, 'a heartbeat failed');
    }
  }

  private observeDelay(): void {
    // The histogram counts from one timer tick to the next, so the resolution itself is no delay; in ns.
    const blockedMs = Math.max(0, this.delay.max / 1e6 - 10);
    if (Number.isFinite(blockedMs))
      this.params.metrics.observe('millrace_event_loop_delay_seconds', {}, blockedMs / 1000);
    this.delay.reset();
  }
}
