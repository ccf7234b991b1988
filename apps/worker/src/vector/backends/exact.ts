import { distanceOf, Nearest } from '../nearest.ts';
import type { IndexBackend, IndexParams, VectorIndex } from './vector-index.ts';

/** Compares a query with every vector: right by definition, and fast enough for some thousands of points. */
export const exactBackend: IndexBackend = {
  name: 'exact',
  create: (params) => new ExactIndex(params),
  load: async (_file, { labels, removed, ...params }) => {
    const index = new ExactIndex(params);
    for (const label of labels) index.add(label);
    for (const label of removed) index.remove(label);
    return index;
  },
};

class ExactIndex implements VectorIndex {
  readonly exact = true;
  private readonly params: IndexParams;
  private readonly labels = new Set<number>();
  private added = 0;
  private closed = false;

  constructor(params: IndexParams) {
    this.params = params;
  }

  get size(): number {
    return this.added;
  }

  add(label: number): void {
    if (this.closed) return;
    this.labels.add(label);
    this.added += 1;
  }

  remove(label: number): void {
    this.labels.delete(label);
  }

  search(query: Float32Array, { k, allows }: Parameters<VectorIndex['search']>[1]) {
    const distance = distanceOf(this.params.collection.metric);
    const nearest = new Nearest(k);
    for (const label of this.labels) {
      if (allows === undefined || allows(label)) nearest.offer(label, distance(query, this.params.vectorOf(label)));
    }
    return nearest.sorted();
  }

  /** The store has all that it knows. */
  async save(): Promise<void> {}

  close(): void {
    this.closed = true;
    this.labels.clear();
  }
}
