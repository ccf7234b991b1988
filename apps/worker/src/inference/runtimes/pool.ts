import type { Pooling } from '../../models/model-settings.ts';

interface Hidden {
  /** [texts, width, dimensions], row after row. */
  readonly data: Float32Array;
  readonly width: number;
  readonly dimensions: number;
}

/**
 * One vector per text out of the vectors of its tokens. Only a text's own tokens are looked at: padding, which stands behind them,
 * cannot reach it, so the vector does not depend on the other texts of the pass. `lengths` in tokens.
 */
export function pool(
  pooling: Exclude<Pooling, 'model'>,
  { data, width, dimensions }: Hidden,
  lengths: readonly number[],
): Float32Array {
  const pooled = new Float32Array(lengths.length * dimensions);
  lengths.forEach((length, row) => {
    const tokens = data.subarray(row * width * dimensions, (row * width + length) * dimensions);
    pooled.set(poolTokens(pooling, tokens, dimensions), row * dimensions);
  });
  return pooled;
}

/** `tokens`: the vectors of one text's tokens, one after the other. */
function poolTokens(pooling: Exclude<Pooling, 'model'>, tokens: Float32Array, dimensions: number): ArrayLike<number> {
  switch (pooling) {
    case 'mean':
      return mean(tokens, dimensions);
    case 'max':
      return most(tokens, dimensions);
    case 'cls':
      return tokens.subarray(0, dimensions);
    case 'last':
      return tokens.subarray(tokens.length - dimensions);
  }
}

/** Summed in double precision. */
function mean(tokens: Float32Array, dimensions: number): Float64Array {
  const sums = new Float64Array(dimensions);
  for (let start = 0; start < tokens.length; start += dimensions) {
    for (let index = 0; index < dimensions; index += 1) sums[index] = (sums[index] ?? 0) + (tokens[start + index] ?? 0);
  }
  const count = tokens.length / dimensions;
  return sums.map((sum) => sum / count);
}

function most(tokens: Float32Array, dimensions: number): Float32Array {
  const greatest = tokens.slice(0, dimensions);
  for (let start = dimensions; start < tokens.length; start += dimensions) {
    for (let index = 0; index < dimensions; index += 1)
      greatest[index] = Math.max(greatest[index] ?? 0, tokens[start + index] ?? 0);
  }
  return greatest;
}
