import { z } from 'zod';

/**
 * The schema of vectors in an output: `Float32Array` rows in memory, arrays of numbers (or base64 of little-endian
 * float32) in JSON. A vector is never a `number[]` on its way.
 */
export const vectorRows = z
  .custom<Float32Array[]>((value) => Array.isArray(value) && value.every((row) => row instanceof Float32Array))
  .meta({
    description:
      'One vector per text. JSON: arrays of numbers, or with ?encoding=base64 strings of base64 (float32, little-endian).',
    type: 'array',
    items: {
      anyOf: [
        { type: 'array', items: { type: 'number' } },
        { type: 'string', contentEncoding: 'base64' },
      ],
    },
  });
