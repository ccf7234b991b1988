import { MillraceError } from '@millrace/shared/errors';
import { withRedis } from '@millrace/shared/redis/connection';
import type { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import { type Webhook, type WebhookPolicy, webhookProblem } from '@millrace/shared/tasks/webhook';

interface WebhookCheckParams {
  readonly pending: PendingWebhooks;
  /** The policy of this process; left out, that which the mill's API has published. */
  readonly policy?: WebhookPolicy | undefined;
  /** ms of any clock that only goes forward. */
  readonly now: () => number;
}

/** A published policy is not used for longer; ms. */
const freshMs = 1000;

/** Refuses what wants a webhook where none may go, before anything is enqueued. */
export class WebhookCheck {
  private readonly params: WebhookCheckParams;
  private known: { readonly askedAt: number; readonly policy: Promise<WebhookPolicy | undefined> } | undefined;

  constructor(params: WebhookCheckParams) {
    this.params = params;
  }

  /**
   * Why a webhook is refused; undefined when it is not, or when there is none. `path` is where it stands.
   * @throws MillraceError REDIS_UNAVAILABLE.
   */
  async refusal(
    webhook: Webhook | undefined,
    path = 'webhook',
    code: 'INVALID_INPUT' | 'INVALID_REQUEST' = 'INVALID_INPUT',
  ): Promise<MillraceError | undefined> {
    if (webhook === undefined) return undefined;
    const policy = this.params.policy ?? (await this.published());
    if (policy === undefined || policy.hosts.length === 0) return off(path);
    const problem = webhookProblem(policy, webhook, path);
    if (problem === undefined) return undefined;
    const detail = `${problem.path}: got ${problem.got}, expected ${problem.expected}.`;
    return new MillraceError(code, detail, { problems: [problem] });
  }

  private async published(): Promise<WebhookPolicy | undefined> {
    const { pending, now } = this.params;
    if (this.known === undefined || now() - this.known.askedAt > freshMs) {
      const policy = withRedis(() => pending.policy());
      this.known = { askedAt: now(), policy };
      // What failed is asked again the next time.
      policy.catch(() => {
        this.known = undefined;
      });
    }
    return await this.known.policy;
  }
}

function off(path: string): MillraceError {
  const detail = 'Webhooks are off: WEBHOOK_HOSTS of the API names no host.';
  const remedy = 'Set WEBHOOK_HOSTS and WEBHOOK_SECRET of the API, or leave it out.';
  return new MillraceError('WEBHOOKS_OFF', detail, {
    problems: [{ path, got: 'a webhook', expected: 'none while WEBHOOK_HOSTS is not set', remedy }],
  });
}
