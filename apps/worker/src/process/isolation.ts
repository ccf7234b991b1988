import { failed, type ItemOutcome } from '@millrace/shared/tasks/processor';
import type { BatchItem } from '../batch/close-rule.ts';
import type { HeldTask } from './held-task.ts';

/** One item of a held task, on its way through batcher and lane. */
export interface QueuedItem extends BatchItem {
  readonly task: HeldTask;
  /** Its place in the task. */
  readonly index: number;
  readonly item: unknown;
  /** How often the lane died while it was alone in the call. */
  crashes: number;
}

/** So many crashes alone, of the lane or of the whole worker, and an item is poison. */
export const poisonCrashes = 3;

interface Verdict {
  /** Items that are found guilty, with what they get. */
  readonly failed: readonly { readonly item: QueuedItem; readonly outcome: ItemOutcome }[];
  /** Calls to make again, each by itself. */
  readonly groups: QueuedItem[][];
}

/** How a call ends that gives no outcomes. */
export type BadEnd = 'died' | 'timed out' | 'threw';

/**
 * Decides about the items of a call that ended badly. One that threw is cut in two halves, again and again, until the item at
 * fault is alone: about 2 log2(n) cheap calls. A death or a hang costs a process, so there each item goes alone at once: one
 * more finds the item, and an innocent one is done. Alone, an item that throws or takes too long has failed; one whose lane
 * dies has only after three times, for something else may have killed it.
 */
export function blame(items: readonly QueuedItem[], reason: BadEnd, message: string): Verdict {
  const [only] = items;
  if (only === undefined) return { failed: [], groups: [] };
  if (items.length > 1) return { failed: [], groups: reason === 'threw' ? halves(items) : items.map((item) => [item]) };
  switch (reason) {
    case 'threw':
      return { failed: [{ item: only, outcome: failed('PROCESSOR_FAILED', message) }], groups: [] };
    case 'timed out':
      return { failed: [{ item: only, outcome: failed('TASK_TIMEOUT', timeoutMessage(only)) }], groups: [] };
    case 'died':
      return blameDeath(only, message);
  }
}

function blameDeath(item: QueuedItem, message: string): Verdict {
  item.crashes += 1;
  if (item.crashes < poisonCrashes) return { failed: [], groups: [[item]] };
  const outcome = failed(
    'POISONED',
    `The compute process died ${item.crashes} times with this input alone: ${message}`,
  );
  return { failed: [{ item, outcome }], groups: [] };
}

function halves(items: readonly QueuedItem[]): QueuedItem[][] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function timeoutMessage({ task }: QueuedItem): string {
  return `It took longer than its timeoutMs (${task.params.timeoutMs}).`;
}
