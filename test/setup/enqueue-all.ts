import { enqueueOnce, type OnceOutcome } from '@millrace/client/enqueue-once';
import type { Mill } from '@millrace/client/mill';

/** Enqueues many tasks in few round trips, past any API; one outcome per task, in order. */
export async function enqueueAll(mill: Mill, tasks: readonly unknown[]): Promise<OnceOutcome[]> {
  return await enqueueOnce(
    mill,
    tasks.map((submitted) => ({ submitted, key: undefined })),
  );
}
