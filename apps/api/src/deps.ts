import type { Mill } from '@millrace/client/mill';
import type { Metrics } from '@millrace/shared/metrics';
import type { Door } from '@millrace/shared/tasks/parse';
import type { Tracing } from '@millrace/shared/tracing';
import type { Keyring } from './auth/keyring.ts';
import type { Reach } from './auth/reach.ts';
import type { Files } from './files/files.ts';
import type { OverviewFeed } from './overview/overview-feed.ts';
import type { Batches } from './runs/batches.ts';
import type { TaskWaits } from './task-waits.ts';
import type { WebhookSide } from './webhooks/open-webhooks.ts';

/** What the routes work with; made and closed by the composition root. */
export interface ApiDeps {
  readonly mill: Mill;
  readonly door: Door;
  readonly metrics: Metrics;
  readonly keyring: Keyring;
  readonly reach: Reach;
  /** BOARD_HIDE_PAYLOADS: the board does not show what is in tasks. */
  readonly hidePayloads: boolean;
  readonly waits: TaskWaits;
  readonly files: Files;
  readonly batches: Batches;
  /** Undefined while webhooks are off. */
  readonly webhooks: Pick<WebhookSide, 'queue'> | undefined;
  readonly overview: OverviewFeed;
  /** Undefined while traces are off. */
  readonly tracing: Tracing | undefined;
  /** The largest body, and the longest line of NDJSON, in bytes. */
  readonly bodyLimit: number;
  /** DRAIN_TARGET: how soon a queue should be empty, in ms. */
  readonly drainTargetMs: number;
}
