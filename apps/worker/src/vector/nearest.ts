import type { Metric } from '@millrace/shared/tasks/vector/collection';
import type { Neighbour } from './backends/vector-index.ts';

/** How far two vectors are from each other, less is nearer: minus the inner product, or the squared distance. */
export type Distance = (a: Float32Array, b: Float32Array) => number;

/** Distances in double precision. Four sums side by side: one alone waits for itself, and takes three times as long. */
export function distanceOf(metric: Metric): Distance {
  return metric === 'l2' ? squaredDistance : minusDot;
}

/** A distance as a score: the inner product (more is nearer), or the distance itself. */
export function scoreOf(metric: Metric, distance: number): number {
  return metric === 'l2' ? Math.sqrt(distance) : -distance;
}

function minusDot(a: Float32Array, b: Float32Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const { length } = a;
  let index = 0;
  for (; index + 3 < length; index += 4) {
    s0 += (a[index] as number) * (b[index] as number);
    s1 += (a[index + 1] as number) * (b[index + 1] as number);
    s2 += (a[index + 2] as number) * (b[index + 2] as number);
    s3 += (a[index + 3] as number) * (b[index + 3] as number);
  }
  for (; index < length; index += 1) s0 += (a[index] as number) * (b[index] as number);
  return -(s0 + s1 + s2 + s3);
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] as number) - (b[index] as number);
    sum += difference * difference;
  }
  return sum;
}

/** Scales a vector to length 1, as it is compared under cosine. The vector must not be all zeros. */
export function atLengthOne(vector: Float32Array): Float32Array {
  const { length } = vector;
  let sum = 0;
  for (let index = 0; index < length; index += 1) sum += (vector[index] as number) * (vector[index] as number);
  // The squares of the largest float32 are beyond no double; those of the smallest are not zero.
  const norm = Math.sqrt(sum);
  // A plain loop: `map` takes six times as long, and this is done for every query.
  const unit = new Float32Array(length);
  for (let index = 0; index < length; index += 1) unit[index] = (vector[index] as number) / norm;
  return unit;
}

/** Which of two labels comes first when they are as near: the lower, unless somebody knows better. */
type Precedence = (a: number, b: number) => boolean;

/** The k nearest of all that are offered, in a heap with the farthest of them on top. */
export class Nearest {
  private readonly k: number;
  private readonly precedes: Precedence;
  private readonly heap: Neighbour[] = [];

  constructor(k: number, precedes: Precedence = (a, b) => a < b) {
    this.k = k;
    this.precedes = precedes;
  }

  offer(label: number, distance: number): void {
    const { heap, k } = this;
    if (heap.length < k) {
      heap.push({ label, distance });
      this.rise(heap.length - 1);
      return;
    }
    const top = heap[0];
    if (top === undefined || distance > top.distance || !this.isFarther(top, { label, distance })) return;
    heap[0] = { label, distance };
    this.sink();
  }

  /** Nearest first. */
  sorted(): Neighbour[] {
    return [...this.heap].sort((a, b) => (this.isFarther(a, b) ? 1 : -1));
  }

  private rise(from: number): void {
    const { heap } = this;
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.isFarther(heap[child] as Neighbour, heap[parent] as Neighbour)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  private sink(): void {
    const { heap } = this;
    for (let parent = 0; ; ) {
      let child = 2 * parent + 1;
      if (child >= heap.length) return;
      const other = child + 1;
      if (other < heap.length && this.isFarther(heap[other] as Neighbour, heap[child] as Neighbour)) child = other;
      if (!this.isFarther(heap[child] as Neighbour, heap[parent] as Neighbour)) return;
      this.swap(child, parent);
      parent = child;
    }
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    [heap[a], heap[b]] = [heap[b] as Neighbour, heap[a] as Neighbour];
  }

  private isFarther(a: Neighbour, b: Neighbour): boolean {
    return a.distance > b.distance || (a.distance === b.distance && this.precedes(b.label, a.label));
  }
}
