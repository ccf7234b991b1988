import { endsWithin, type WaitBound } from './ends-within.ts';
import type { TaskSignal } from './family-events.ts';
import type { Mill } from './mill.ts';
import { refOfTask } from './task-ref.ts';

/** Waits until a task has ended: true, or false when it had not after so many ms. */
export async function waitForEnd(mill: Mill, id: string, bound: number | WaitBound): Promise<boolean> {
  return (await awaitEnd(mill, id, typeof bound === 'number' ? { timeoutMs: bound } : bound)).ended;
}

/** The same, with the event that told the end, if there was one. */
export async function awaitEnd(
  mill: Mill,
  id: string,
  bound: WaitBound,
): Promise<{ ended: boolean; told?: TaskSignal | undefined }> {
  const ref = refOfTask(id);
  const watch = await mill.waiting.watch(ref);
  try {
    // It may have ended before the watch began.
    if (await mill.reader.hasEnded(ref)) return { ended: true };
    return { ended: await endsWithin(watch, bound), told: watch.told() };
  } finally {
    watch.stop();
  }
}
