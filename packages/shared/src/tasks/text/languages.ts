import { z } from 'zod';

/** The language of a text as a task may give it. */
export const givenLanguage = z.string().regex(/^[a-z]{2,3}$/, { error: 'a code of ISO 639, such as en' });

export const detectedLanguage = z.object({
  code: z.string().nullable().meta({
    description:
      'ISO 639-1, such as `en`; `no` for both kinds of Norwegian, `ms` for Malay and Indonesian. null: no letters of a language that is known.',
  }),
  confidence: z.number().meta({
    description: 'Score of that language, 0 to 1, by the letters of the text; not a probability. 1 when it was given.',
  }),
  reliable: z.boolean().meta({
    description: 'Whether the text is long enough, and the language far enough ahead of the next.',
  }),
});
export type DetectedLanguage = z.infer<typeof detectedLanguage>;
