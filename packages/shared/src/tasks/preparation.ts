import type { TaskLimits } from './define-task-type.ts';
import type { CollectionState } from './vector/collection.ts';

/** A task of another type that has to be done first: a child. */
export interface ChildTask {
  /** Unlike that of the other children of its parent, and the same whenever the parent is looked at again. */
  readonly name: string;
  readonly type: string;
  readonly input: unknown;
}

/** What a task needs before it can be computed: either nothing more, or children. */
export type Preparation<Input> =
  | { readonly ready: true; readonly input: Input }
  | { readonly ready: false; readonly children: readonly ChildTask[] };

/**
 * The lock under which a task is held, a key of Redis and its value. What a task writes beside its result is written only while
 * its lock holds: a worker that was cut off, and comes back, must not write over what has succeeded since.
 */
export interface Fence {
  readonly key: string;
  readonly token: string;
}

/** What is known when a task is prepared. */
export interface PreparationFacts {
  /** The collection that the task names. */
  readonly collection: CollectionState | undefined;
  readonly fence: Fence;
  /** How much one task of a type may carry, under the settings. */
  limitsOf(type: string): TaskLimits;
  /** The output of a child that has succeeded, vectors as Float32Array rows; undefined before. */
  outputOf(child: string): Record<string, unknown> | undefined;
}
