import { createHash } from 'node:crypto';
import type { InputOf, OutputOf } from '@millrace/shared/tasks/catalog';
import { bundledModel } from '@millrace/shared/tasks/inference/embed';

/** As many numbers as a vector of the bundled model has. */
const dimensions = 384;

/**
 * Vectors of length 1 that are made of the words of a text alone: the same for the same text, the nearer to each other the more
 * words two texts share. They know nothing of meaning.
 */
export function fakeEmbedding({
  texts,
  model = bundledModel,
}: InputOf<'inference.embed'>): OutputOf<'inference.embed'> {
  const words = texts.map(wordsOf);
  return {
    embeddings: words.map((some) => vectorOf(some, model)),
    model,
    fingerprint: `test-${model}`,
    dimensions,
    tokens: words.map((some) => some.length + 2),
    truncated: texts.map(() => false),
  };
}

/** A text without words is one word. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu);
  return words === null ? [text] : [...words];
}

function vectorOf(words: readonly string[], model: string): Float32Array {
  const sum = new Float64Array(dimensions);
  for (const word of words) {
    for (const [index, value] of noiseOf(`${model} ${word}`).entries()) sum[index] = (sum[index] ?? 0) + value;
  }
  const length = Math.hypot(...sum);
  return Float32Array.from(sum, (value) => value / length);
}

/** Numbers from -1 to 1 that a text alone decides: sha256 as the seed of xorshift32. */
function noiseOf(text: string): number[] {
  let state = createHash('sha256').update(text).digest().readUInt32LE() || 1;
  return Array.from({ length: dimensions }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
}
