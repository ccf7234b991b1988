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

/** What is known when a task is prepared. */
export interface PreparationFacts {
  /** The collection that the task names. */
  readonly collection: CollectionState | undefined;
  /** The output of a child that has succeeded, vectors as Float32Array rows; undefined before. */
  outputOf(child: string): Record<string, unknown> | undefined;
}
