import type { Mill } from '@millrace/client/mill';
import type { Metrics } from '@millrace/shared/metrics';
import type { Door } from '@millrace/shared/tasks/parse';
import type { Keyring } from './auth/keyring.ts';
import type { Files } from './files/files.ts';
import type { Batches } from './runs/batches.ts';
import type { TaskWaits } from './task-waits.ts';

/** What the routes work with; made and closed by the composition root. */
export interface ApiDeps {
  readonly mill: Mill;
  readonly door: Door;
  readonly metrics: Metrics;
  readonly keyring: Keyring;
  readonly waits: TaskWaits;
  readonly files: Files;
  readonly batches: Batches;
  /** The largest body, and the longest line of NDJSON, in bytes. */
  readonly bodyLimit: number;
  /** DRAIN_TARGET: how soon a queue should be empty, in ms. */
  readonly drainTargetMs: number;
}
