import { z } from 'zod';
import type { Setting } from './setting.ts';

/** The settings of the command `millrace` alone; a part of the table in settings.ts. */
export const cliSettings = {
  MILLRACE_URL: {
    schema: z.string().regex(/^https?:\/\/\S+$/, { error: 'a URL such as http://127.0.0.1:3000' }),
    default: undefined,
    meaning: 'The API that the command `millrace` speaks to. Left out, it goes to Redis itself.',
    form: 'http:// or https:// URL',
  },
  MILLRACE_API_KEY: {
    schema: z.string().min(1),
    default: undefined,
    meaning: 'The key that `millrace` sends to that API; one of those whose hashes are in its MILLRACE_API_KEYS.',
    form: 'a key',
  },
} as const satisfies Record<string, Setting>;
