/** The vector at length 1, summed in double precision; a vector of zeros stays as it is. */
export function normalized<T extends Float32Array | Float64Array>(vector: T): T {
  const norm = Math.sqrt(dot(vector, vector));
  return norm === 0 ? vector : (vector.map((value) => value / norm) as T);
}

/** The scalar product, in double precision and always in the same order: of vectors of length 1, their cosine. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}
