import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import type { ItemOutcome } from '@millrace/shared/tasks/processor';
import type { BatchItem } from '../batch/close-rule.ts';
import type { HeldTask } from './held-task.ts';

/**
 * Where an item is: looked up (in the result cache) -> waiting (in the batcher) -> sent (to a lane) -> done. A call that ends
 * badly sets its items apart, from where they are sent again; one that its lane never began puts them back to wait. One that
 * nobody wants any more is done, unless it is being computed.
 */
export type ItemPlace = 'looked up' | 'waiting' | 'sent' | 'apart' | 'done';

/** One item on its way through batcher and lane: computed once, for every task that has the same. */
export interface QueuedItem extends BatchItem {
  readonly taskType: TaskType;
  readonly item: unknown;
  /** Items of one type with one identity are the same; undefined: it is not shared. */
  readonly identity: string | undefined;
  /** Who takes its value: tasks, and the item's places in each. */
  readonly takers: Map<HeldTask, number[]>;
  /** Never less urgent than any of its takers. */
  priority: number;
  arrival: number;
  place: ItemPlace;
  /** The call that carries it now, or did last; `limitMs`: the time that it has. */
  call: { readonly id: string; readonly limitMs: number } | undefined;
  /** How often the lane died while it was alone in the call. */
  crashes: number;
}

/** The tasks that still wait for an item. */
export function takersOf({ takers }: QueuedItem): HeldTask[] {
  return [...takers.keys()].filter((task) => !task.isEnded);
}

/** The tasks that still wait for any of some items, each once. */
export function tasksOf(items: Iterable<QueuedItem>): ReadonlySet<HeldTask> {
  const tasks = new Set<HeldTask>();
  for (const item of items) for (const task of item.takers.keys()) if (!task.isEnded) tasks.add(task);
  return tasks;
}

/** Gives an outcome to some of those who wait for it; they wait no more. */
export function giveOutcome({ takers }: QueuedItem, tasks: Iterable<HeldTask>, outcome: ItemOutcome): void {
  for (const task of tasks) {
    for (const index of takers.get(task) ?? []) task.take(index, outcome);
    takers.delete(task);
  }
}
