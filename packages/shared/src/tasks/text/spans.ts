import { z } from 'zod';

/** A piece of a text and where it stands. */
export const span = z.object({
  text: z.string(),
  start: z.int().meta({ description: 'Where it begins, in UTF-16 units: text.slice(start, end) is this piece.' }),
  end: z.int().meta({ description: 'Where it ends, exclusive.' }),
});
export type Span = z.infer<typeof span>;
