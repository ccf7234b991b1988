import { z } from 'zod';

/** How long a file is kept, in OpenAI's words. */
export const lifetimeSchema = z.strictObject({
  anchor: z.literal('created_at'),
  seconds: z.int().min(3600).max(2_592_000).meta({ description: 'An hour to 30 days.' }),
});
