import { createRequire } from 'node:module';
import type { HierarchicalNSW } from 'hnswlib-node';
import { distanceOf } from '../nearest.ts';
import type { IndexBackend, IndexParams, Neighbour, VectorIndex } from './vector-index.ts';

type Hnswlib = typeof import('hnswlib-node');

/** Room for so many labels at first; it doubles when they are used up. */
const firstRoom = 1024;
/** The same points in the same order give the same index. */
const randomSeed = 100;

/**
 * HNSW by hnswlib (Malkov and Yashunin, 2016). Undefined where its native part is not there: it is compiled when Millrace is
 * installed, and a machine without a compiler goes without.
 */
export function openHnswBackend(): IndexBackend | undefined {
  let library: Hnswlib;
  try {
    library = createRequire(import.meta.url)('hnswlib-node') as Hnswlib;
  } catch {
    return undefined;
  }
  return {
    name: 'hnsw',
    create: (params) => {
      const { m, efConstruction } = params.collection.hnsw;
      const graph = openGraph(library, params);
      graph.initIndex({ maxElements: firstRoom, m, efConstruction, randomSeed });
      return new HnswIndex(graph, params);
    },
    load: async (file, { labels: _labels, removed, ...params }) => {
      const graph = openGraph(library, params);
      await graph.readIndex(file);
      const index = new HnswIndex(graph, params);
      // The file says which labels are deleted; to delete one again is an error.
      index.removedBefore(removed);
      return index;
    },
  };
}

function openGraph(library: Hnswlib, { collection }: IndexParams): HierarchicalNSW {
  // Vectors under cosine have length 1 already.
  return new library.HierarchicalNSW(collection.metric === 'l2' ? 'l2' : 'ip', collection.dimensions);
}

class HnswIndex implements VectorIndex {
  readonly exact = false;
  private readonly graph: HierarchicalNSW;
  private readonly params: IndexParams;
  private readonly removed = new Set<number>();
  private ef = 0;
  private closed = false;
  /** hnswlib-node takes arrays of numbers alone, and copies what is in them. */
  private readonly numbers: number[];

  constructor(graph: HierarchicalNSW, params: IndexParams) {
    this.graph = graph;
    this.params = params;
    this.numbers = new Array<number>(params.collection.dimensions).fill(0);
  }

  get size(): number {
    return this.graph.getCurrentCount();
  }

  add(label: number, vector: Float32Array): void {
    if (this.closed) return;
    const room = this.graph.getMaxElements();
    if (this.graph.getCurrentCount() >= room) this.graph.resizeIndex(2 * room);
    this.graph.addPoint(this.toNumbers(vector), label);
  }

  remove(label: number): void {
    if (this.closed || this.removed.has(label)) return;
    this.removed.add(label);
    this.graph.markDelete(label);
  }

  removedBefore(labels: Iterable<number>): void {
    for (const label of labels) this.removed.add(label);
  }

  search(query: Float32Array, { k, ef, allows }: Parameters<VectorIndex['search']>[1]): Neighbour[] {
    if (this.closed || this.size === this.removed.size) return [];
    if (this.ef !== ef) this.graph.setEf(ef);
    this.ef = ef;
    const { neighbors } = this.graph.searchKnn(this.toNumbers(query), Math.min(k, this.size), allows);
    // Its distances are sums of float32: ours make an approximate answer comparable with an exact one.
    const distance = distanceOf(this.params.collection.metric);
    const found = neighbors.map((label) => ({ label, distance: distance(query, this.params.vectorOf(label)) }));
    return found.sort((a, b) => a.distance - b.distance || a.label - b.label);
  }

  /** One array for all: `Array.from` takes thirty times as long. */
  private toNumbers(vector: Float32Array): number[] {
    const { numbers } = this;
    for (let index = 0; index < numbers.length; index += 1) numbers[index] = vector[index] as number;
    return numbers;
  }

  async save(file: string): Promise<void> {
    await this.graph.writeIndex(file);
  }

  /** V8 does not know how large the native part is, and may not collect it for a long time; an empty graph takes its place. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.graph.initIndex({ maxElements: 1 });
  }
}
