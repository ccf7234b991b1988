import { z } from 'zod';
import { vectorValue } from './vector-value.ts';

/** Bytes of a point's metadata as JSON: it lies in the memory of every worker. */
export const metadataBytes = 16_384;
/** Levels of objects in metadata. */
const metadataDepth = 8;

/** Names that would mean something else to a filter, or to JavaScript. */
const forbiddenName = /^\$|\.|^__proto__$/;

/** What is known of a point beside its vector; searched by filters. */
export const metadataSchema = z
  .record(z.string(), z.json())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= metadataBytes, {
    error: `metadata of at most ${metadataBytes} bytes of JSON`,
  })
  .refine((value) => isPlain(value, metadataDepth), {
    error: `metadata of at most ${metadataDepth} levels, with names that do not begin with $ and have no dot`,
  });
export type Metadata = z.infer<typeof metadataSchema>;

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  const isList = Array.isArray(value);
  return Object.entries(value).every(
    ([name, inner]) => (isList || !forbiddenName.test(name)) && isPlain(inner, depth - 1),
  );
}

export const pointId = z
  .string()
  .min(1)
  .max(256)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, { error: 'an id of 1 to 256 characters, none of them a control character' });

/** A point to write: a vector, or a text that becomes one. */
export const pointSchema = z
  .strictObject({
    id: pointId.meta({ description: 'Unique in the collection; writing it again replaces the point.' }),
    vector: vectorValue.optional(),
    text: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Instead of a vector: embedded by the collection's model." }),
    metadata: metadataSchema.optional().meta({ description: 'JSON that filters look at; at most 16 KiB.' }),
  })
  .refine(({ vector, text }) => (vector === undefined) !== (text === undefined), {
    error: 'either a vector or a text',
  });
export type PointInput = z.infer<typeof pointSchema>;
