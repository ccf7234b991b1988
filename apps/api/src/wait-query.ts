import { z } from 'zod';

/** The longest that a request waits, in seconds. */
const longestWait = 60;

export const waitSeconds = z.coerce
  .number()
  .min(0)
  .max(longestWait)
  .optional()
  .meta({ description: 'Wait up to this many seconds for the end of the task.' });
