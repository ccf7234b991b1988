import { z } from 'zod';

/** A vector as JSON has it: numbers, or base64 of little-endian float32. */
export type VectorValue = number[] | string;

/** The numbers of a vector; undefined when it is no vector of finite numbers. A Float32Array has been through here already. */
export function toFloat32(value: unknown): Float32Array | undefined {
  if (value instanceof Float32Array) return value;
  const vector = fromJson(value);
  if (vector === undefined || vector.length === 0) return undefined;
  return hasAllFinite(vector) ? vector : undefined;
}

/** Float32 has an end: 1e39 is a finite number, and an infinite one here. A sum is finite when all its terms are. */
function hasAllFinite(vector: Float32Array): boolean {
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1) sum += vector[index] as number;
  return Number.isFinite(sum);
}

function fromJson(value: unknown): Float32Array | undefined {
  return typeof value === 'string' ? fromBase64(value) : fromNumbers(value);
}

function fromNumbers(value: unknown): Float32Array | undefined {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'number')) return undefined;
  return Float32Array.from(value);
}

function fromBase64(text: string): Float32Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Node passes over what is no base64; the length tells.
  if (bytes.length % 4 !== 0 || Math.ceil(bytes.length / 3) * 4 !== text.length) return undefined;
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** The schema of one vector in an input; zod's own arrays would take longer over it than the search. */
export const vectorValue = z
  .custom<VectorValue>((value) => toFloat32(value) !== undefined, {
    error: 'a vector: an array of finite numbers, or base64 of little-endian float32',
  })
  .meta({
    description: 'Numbers, or base64 of little-endian float32.',
    anyOf: [
      { type: 'array', items: { type: 'number' }, minItems: 1 },
      { type: 'string', contentEncoding: 'base64' },
    ],
  });
