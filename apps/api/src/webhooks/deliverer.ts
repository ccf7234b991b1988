import type { Logger } from '@millrace/shared/logger';
import type { Metrics } from '@millrace/shared/metrics';
import { type WebhookPolicy, webhookProblem } from '@millrace/shared/tasks/webhook';
import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { Webhook } from 'standardwebhooks';
import { version } from '../version.ts';
import { deliveryDataSchema } from './delivery-queue.ts';
import type { Guard } from './guarded-agents.ts';
import { HostTurns } from './host-turns.ts';
import { post } from './post.ts';

interface DelivererParams {
  readonly policy: WebhookPolicy;
  /** WEBHOOK_SECRET: each signs. */
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly guard: Guard;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
}

/** How one try ended; `gone` and `refused` are final. `silent`: there was no answer in time. */
type Trial =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'gone' | 'refused' | 'failed' | 'silent'; readonly why: string };

type DeliveryJob = Job<unknown, void>;

/** Sends webhooks: signs them by Standard Webhooks, and says whether they arrived. */
export class Deliverer {
  private readonly params: DelivererParams;
  private readonly signers: readonly Webhook[];
  private readonly turns = new HostTurns(() => performance.now());
  private readonly underway = new Set<AbortController>();
  private closed = false;

  constructor(params: DelivererParams) {
    this.params = params;
    this.signers = params.secrets.map((secret) => new Webhook(secret));
  }

  /** Cuts off what is under way: it is sent again by whoever gets it next. */
  close(): void {
    this.closed = true;
    for (const request of this.underway) request.abort();
  }

  /** One try. @throws what makes BullMQ try again, give up, or wait. */
  async deliver(job: DeliveryJob, token: string): Promise<void> {
    // BullMQ may have fetched it before it heard of the end.
    if (this.closed) return await giveBack(job, token);
    const parsed = deliveryDataSchema.safeParse(job.data);
    const problem = parsed.success ? webhookProblem(this.params.policy, parsed.data) : undefined;
    if (!parsed.success || problem !== undefined) {
      const why = problem === undefined ? 'its URL is not valid' : `${problem.got} is not ${problem.expected}`;
      return this.end(job, { outcome: 'refused', why });
    }
    const url = new URL(parsed.data.url);
    await this.takeTurn(job, url, token);
    const trial = await this.attempt(job.id ?? '', url, parsed.data.body);
    this.turns.end(url.host, trial.outcome !== 'silent');
    if (this.closed && trial.outcome === 'silent') return await giveBack(job, token);
    this.end(job, trial);
  }

  private async takeTurn(job: DeliveryJob, { host }: URL, token: string): Promise<void> {
    const waitMs = this.turns.begin(host);
    if (waitMs === undefined) return;
    await job.moveToDelayed(this.params.now() + waitMs, token);
    throw new DelayedError();
  }

  private async attempt(id: string, url: URL, body: string): Promise<Trial> {
    const { guard, timeoutMs } = this.params;
    const request = new AbortController();
    const { signal } = request;
    // Left running after the answer has come: it also ends the reading of what comes with it.
    setTimeout(() => request.abort(), timeoutMs).unref();
    this.underway.add(request);
    try {
      const status = await post({ url, headers: this.headers(id, body), body, guard, signal });
      if (status >= 200 && status < 300) return { outcome: 'delivered' };
      return { outcome: status === 410 ? 'gone' : 'failed', why: `the receiver answered ${status}` };
    } catch (error) {
      if (signal.aborted) return { outcome: 'silent', why: `no answer within ${timeoutMs} ms` };
      return { outcome: 'failed', why: (error as Error).message };
    } finally {
      this.underway.delete(request);
    }
  }

  private headers(id: string, body: string): Record<string, string> {
    const at = new Date(this.params.now());
    return {
      'content-type': 'application/json',
      'user-agent': `Millrace/${version}`,
      'webhook-id': id,
      'webhook-timestamp': Math.floor(at.getTime() / 1000).toString(),
      'webhook-signature': this.signers.map((signer) => signer.sign(id, at, body)).join(' '),
    };
  }

  private end(job: DeliveryJob, trial: Trial): void {
    const { metrics, log } = this.params;
    const tries = job.attemptsMade + 1;
    const facts = { webhook: job.id, type: job.name, tries };
    if (trial.outcome === 'delivered') {
      metrics.count('millrace_webhook_deliveries_total', { outcome: 'delivered' });
      log.debug({ event: 'webhook.delivered', ...facts }, 'a webhook was delivered');
      return;
    }
    const { outcome, why } = trial;
    const mayPass = outcome === 'failed' || outcome === 'silent';
    if (mayPass && tries < (job.opts.attempts ?? 1)) {
      metrics.count('millrace_webhook_deliveries_total', { outcome: 'retry' });
      log.debug({ event: 'webhook.retry', ...facts, why }, 'a webhook is tried again');
      throw new Error(why);
    }
    const final = mayPass ? 'given_up' : outcome;
    metrics.count('millrace_webhook_deliveries_total', { outcome: final });
    log.warn(
      { event: `webhook.${final.replace('_', '-')}`, ...facts, host: hostOf(job.data), why },
      'a webhook was not delivered',
    );
    throw new UnrecoverableError(why);
  }
}

/** Back to the queue, no try burnt, for another process. */
async function giveBack(job: DeliveryJob, token: string): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/** The rest of a URL may be a secret of the receiver's. */
function hostOf(data: unknown): string | undefined {
  const url = deliveryDataSchema.safeParse(data).data?.url;
  return url === undefined ? undefined : new URL(url).host;
}
