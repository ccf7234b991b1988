import type { Logger } from '@millrace/shared/logger';
import type { PendingWebhooks } from '@millrace/shared/redis/pending-webhooks';
import { type TaskRef, taskIdOf } from '@millrace/shared/tasks/ids';
import { webhookIn } from '@millrace/shared/tasks/webhook';

/** Notes who is to be told of the end of pulled tasks: bare producers note nobody, nor does another program's retry. */
export class WebhookNotes {
  private readonly pending: PendingWebhooks;
  private readonly log: Logger;

  constructor(pending: PendingWebhooks, log: Logger) {
    this.pending = pending;
    this.log = log;
  }

  /** Undefined when nobody is to be told: most tasks need not wait for anything. Never rejects. */
  note(ref: TaskRef, data: unknown): Promise<void> | undefined {
    const webhook = webhookIn(data);
    return webhook === undefined ? undefined : this.write(ref, webhook.url);
  }

  private async write(ref: TaskRef, url: string): Promise<void> {
    try {
      await this.pending.noteKnown(ref, url, Date.now());
    } catch (error) {
      const facts = { event: 'webhook.not-noted', taskId: taskIdOf(ref), error: (error as Error).message };
      this.log.warn(facts, 'who is to be told of a task could not be noted');
    }
  }
}
