import { failed, type ItemOutcome } from '@millrace/shared/tasks/processor';
import type { HeldTask } from './held-task.ts';
import { type QueuedItem, takersOf } from './queued-item.ts';

/** So many crashes alone, of the lane or of the whole worker, and an item is poison. */
export const poisonCrashes = 3;

/** An item that has failed, for some of its takers. */
interface FailedItem {
  readonly item: QueuedItem;
  readonly tasks: readonly HeldTask[];
  readonly outcome: ItemOutcome;
}

interface Verdict {
  /** Items that are found guilty, with what their takers get. */
  readonly failed: readonly FailedItem[];
  /** Calls to make again, each by itself. */
  readonly groups: QueuedItem[][];
}

/** How a call ends that gives no outcomes. */
export type BadEnd = 'died' | 'timed out' | 'threw';

/**
 * Decides about the items of a call that ended badly. One that threw is cut in two halves, again and again, until the item at
 * fault is alone: about 2 log2(n) cheap calls. A death or a hang costs a process, so there each item goes alone at once: one
 * more finds the item, and an innocent one is done. Alone, an item that throws or takes too long has failed; one whose lane
 * dies has only after three times, for something else may have killed it. It fails for all that have the same, but for those
 * of them who give it more time than it had.
 */
export function blame(items: readonly QueuedItem[], reason: BadEnd, message: string): Verdict {
  const [only] = items;
  if (only === undefined) return { failed: [], groups: [] };
  if (items.length > 1) return { failed: [], groups: reason === 'threw' ? halves(items) : items.map((item) => [item]) };
  switch (reason) {
    case 'threw':
      return failedFor(only, takersOf(only), failed('PROCESSOR_FAILED', message));
    case 'timed out':
      return blameHang(only);
    case 'died':
      return blameDeath(only, message);
  }
}

function blameHang(item: QueuedItem): Verdict {
  const limitMs = item.call?.limitMs ?? 0;
  const late = takersOf(item).filter(({ params }) => params.timeoutMs <= limitMs);
  return failedFor(item, late, failed('TASK_TIMEOUT', `It took longer than its timeoutMs (${limitMs}).`));
}

function blameDeath(item: QueuedItem, message: string): Verdict {
  item.crashes += 1;
  if (item.crashes < poisonCrashes) return { failed: [], groups: [[item]] };
  const outcome = failed(
    'POISONED',
    `The compute process died ${item.crashes} times with this input alone: ${message}`,
  );
  return failedFor(item, takersOf(item), outcome);
}

/** Whoever else takes it has it computed again. */
function failedFor(item: QueuedItem, tasks: readonly HeldTask[], outcome: ItemOutcome): Verdict {
  const isWanted = takersOf(item).some((task) => !tasks.includes(task));
  return { failed: [{ item, tasks, outcome }], groups: isWanted ? [[item]] : [] };
}

function halves(items: readonly QueuedItem[]): QueuedItem[][] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
