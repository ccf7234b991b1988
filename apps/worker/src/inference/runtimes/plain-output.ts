import { Tensor } from '@huggingface/transformers';

/** What a pipeline gives, as plain JSON: tensors become nested arrays, big integers numbers. */
export function plainOutput(value: unknown): unknown {
  if (value instanceof Tensor) return plainOutput(value.tolist());
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return typeof value[0] === 'number' ? value : value.map(plainOutput);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, Number);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plainOutput(field)]));
}
