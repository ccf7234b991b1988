import type { Collection } from '@millrace/shared/tasks/vector/collection';

/** A point near a query: its label, and how far it is (less is nearer): minus the inner product, or the squared distance. */
export interface Neighbour {
  readonly label: number;
  readonly distance: number;
}

interface IndexSearch {
  readonly k: number;
  /** How many candidates are kept: more finds more, and is slower. */
  readonly ef: number;
  /** Labels that may be found; undefined for all. */
  readonly allows: ((label: number) => boolean) | undefined;
}

/** An index over the vectors of one collection, by label. It computes on the calling thread. */
export interface VectorIndex {
  /** Labels that were added, those that were removed since included. */
  readonly size: number;
  /** Whether it compares a query with every vector. */
  readonly exact: boolean;
  /** Adds a vector under a label that it has not had before. */
  add(label: number, vector: Float32Array): void;
  /** Takes a label out of what is found. */
  remove(label: number): void;
  /** At most `k` neighbours, nearest first; an approximate index may miss some. */
  search(query: Float32Array, search: IndexSearch): Neighbour[];
  /** Writes it to a file, in the background; until then it must not be changed. */
  save(file: string): Promise<void>;
  /** Lets go of its memory at once; it finds nothing from then on. */
  close(): void;
}

export interface IndexParams {
  readonly collection: Pick<Collection, 'dimensions' | 'metric' | 'hnsw'>;
  /** The vector under a label; the store keeps them all. */
  readonly vectorOf: (label: number) => Float32Array;
}

export interface LoadParams extends IndexParams {
  /** Every label that was added. */
  readonly labels: Iterable<number>;
  /** Those of them that were taken out again. */
  readonly removed: Iterable<number>;
}

/** A library of indexes. */
export interface IndexBackend {
  readonly name: string;
  create(params: IndexParams): VectorIndex;
  /** Reads what `save` wrote. @throws Error when the file is no such index. */
  load(file: string, params: LoadParams): Promise<VectorIndex>;
}
