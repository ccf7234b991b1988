import type { ErrorCode, Problem } from '../../errors.ts';
import type { CollectionState } from './collection.ts';
import { toFloat32, type VectorValue } from './vector-value.ts';

/** What a task does with a collection, as far as the two may not suit each other. */
export interface CollectionUse {
  readonly name: string;
  /** The fingerprint that it says its vectors have. */
  readonly fingerprint: string | undefined;
  readonly vectors: readonly { readonly path: string; readonly value: VectorValue | Float32Array }[];
}

/** Why a task does not suit a collection. */
export interface Mismatch {
  readonly code: Extract<ErrorCode, 'COLLECTION_MISMATCH' | 'INVALID_INPUT'>;
  readonly message: string;
  readonly problems: readonly Problem[];
}

/** Compares a task with the collection that it names: fingerprint, length of each vector, no zeros under cosine. */
export function mismatchOf(use: CollectionUse, { collection, fingerprint }: CollectionState): Mismatch | undefined {
  if (use.fingerprint !== undefined && fingerprint !== null && use.fingerprint !== fingerprint) {
    return wrong('COLLECTION_MISMATCH', {
      path: 'input.fingerprint',
      got: use.fingerprint,
      expected: `${fingerprint}, of the vectors that ${collection.name} has`,
      remedy: 'Use the model that the collection was filled with, or fill another collection.',
    });
  }
  for (const { path, value } of use.vectors) {
    const vector = toFloat32(value);
    const problem = vector === undefined ? undefined : problemOf(vector, path, collection);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemOf(
  vector: Float32Array,
  path: string,
  { name, dimensions, metric }: CollectionState['collection'],
): Mismatch | undefined {
  if (vector.length !== dimensions) {
    return wrong('COLLECTION_MISMATCH', {
      path,
      got: `a vector of ${vector.length} numbers`,
      expected: `${dimensions} numbers, as ${name} has them`,
      remedy: 'Use the model that the collection was made for, or make another collection.',
    });
  }
  if (metric !== 'cosine' || vector.some((value) => value !== 0)) return undefined;
  return wrong('INVALID_INPUT', {
    path,
    got: 'a vector of zeros',
    expected: 'a vector with a direction: the metric is cosine',
    remedy: 'Leave it out, or make a collection of the metric dot or l2.',
  });
}

function wrong(code: Mismatch['code'], problem: Problem): Mismatch {
  return { code, message: `${problem.path}: got ${problem.got}, expected ${problem.expected}.`, problems: [problem] };
}
