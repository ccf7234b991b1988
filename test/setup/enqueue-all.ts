import { setTimeout as sleep } from 'node:timers/promises';
import type { Millrace } from '@millrace/client';
import { enqueueOnce, type OnceOutcome } from '@millrace/client/enqueue-once';
import type { Mill } from '@millrace/client/mill';
import { Task } from '@millrace/client/task';
import { MillraceError } from '@millrace/shared/errors';

/** Enqueues many tasks in few round trips, past any API; one outcome per task, in order. */
export async function enqueueAll(mill: Mill, tasks: readonly unknown[]): Promise<OnceOutcome[]> {
  return await enqueueOnce(
    mill,
    tasks.map((submitted) => ({ submitted, key: undefined })),
  );
}

/**
 * Enqueues one text after the other, as a producer does that is told that nobody knows and repeats with its key; gives the ids that
 * were accepted.
 */
export async function enqueueStubbornly(mill: Millrace, texts: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, text] of texts.entries()) {
    const options = { idempotencyKey: `${texts.length}-${index}` };
    for (;;) {
      const task = await mill.enqueue('inference.embed', { texts: [text] }, options).catch((error: unknown) => error);
      if (task instanceof Task) {
        ids.push(task.id);
        break;
      }
      if (!(task instanceof MillraceError) || task.code !== 'REDIS_UNAVAILABLE') throw task;
      await sleep(100);
    }
  }
  return ids;
}
