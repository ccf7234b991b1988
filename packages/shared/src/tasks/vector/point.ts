import { z } from 'zod';
import { metadataSchema } from './metadata.ts';
import { vectorValue } from './vector-value.ts';

export const pointId = z
  .string()
  .min(1)
  .max(256)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/, { error: 'an id of 1 to 256 characters, none of them a control character' })
  // Half a surrogate pair has no UTF-8: Redis would give back another id.
  .refine((id) => !/\p{Surrogate}/u.test(id), { error: 'an id of whole characters' });

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
    metadata: metadataSchema.optional(),
  })
  .refine(({ vector, text }) => (vector === undefined) !== (text === undefined), {
    error: 'either a vector or a text',
  });
