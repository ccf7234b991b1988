import type { BatchItem } from '../batch/close-rule.ts';
import type { HeldTask } from './held-task.ts';
import { failed, type ItemOutcome } from './processor.ts';

/** One item of a held task, on its way through batcher and lane. */
export interface QueuedItem extends BatchItem {
  readonly task: HeldTask;
  /** Its place in the task. */
  readonly index: number;
  readonly item: unknown;
  /** How often the lane died while it was alone in the call. */
  crashes: number;
}

/** So many crashes alone, and an item is poison. */
const poisonCrashes = 3;

interface Verdict {
  /** Items that are found guilty, with what they get. */
  readonly failed: readonly { readonly item: QueuedItem; readonly outcome: ItemOutcome }[];
  /** Calls to make again, each by itself. */
  readonly groups: QueuedItem[][];
}

/**
 * Decides about the items of a call that threw or whose lane died. One that threw is cut in two halves, again and again, until
 * the item at fault is alone: about 2 log2(n) cheap calls. A death costs a process, so there each item goes alone at once: one
 * more death finds the item, and an innocent one is done. Alone, an item that throws has failed; one whose lane dies has only
 * after three times, for something else may have killed it.
 */
export function blame(items: readonly QueuedItem[], reason: 'died' | 'threw', message: string): Verdict {
  const [only] = items;
  if (only === undefined) return { failed: [], groups: [] };
  if (items.length > 1) {
    if (reason === 'died') return { failed: [], groups: items.map((item) => [item]) };
    const middle = Math.ceil(items.length / 2);
    return { failed: [], groups: [items.slice(0, middle), items.slice(middle)] };
  }
  if (reason === 'threw') return { failed: [{ item: only, outcome: failed('PROCESSOR_FAILED', message) }], groups: [] };
  only.crashes += 1;
  if (only.crashes < poisonCrashes) return { failed: [], groups: [[only]] };
  const outcome = failed(
    'POISONED',
    `The compute process died ${only.crashes} times with this input alone: ${message}`,
  );
  return { failed: [{ item: only, outcome }], groups: [] };
}
