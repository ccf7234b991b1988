import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { clip } from '../board/clip.ts';
import { type DeliveryQueue, deliveryDataSchema } from './delivery-queue.ts';

/** The board's view of webhooks: read-only, and without what may be a secret in their URLs. */
export class WebhookBoardAdapter extends BullMQAdapter {
  constructor(queue: DeliveryQueue, { hidePayloads }: { readonly hidePayloads: boolean }) {
    super(queue, { readOnlyMode: true, description: 'webhooks on their way' });
    this.setFormatter('data', hidePayloads ? () => '(hidden)' : shown);
  }
}

function shown(data: unknown): unknown {
  const parsed = deliveryDataSchema.safeParse(data);
  if (!parsed.success) return '(not a webhook)';
  const { url, body } = parsed.data;
  return clip({ host: new URL(url).host, body });
}
