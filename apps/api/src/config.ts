import { readSettings, type Settings } from '@millrace/shared/env';

const names = [
  'REDIS_URL',
  'MILLRACE_PREFIX',
  'LOG_LEVEL',
  'TASK_LIMITS',
  'MILLRACE_PLUGINS',
  'PORT',
  'HOST',
  'MILLRACE_API_KEYS',
  'BODY_LIMIT',
  'MAX_WAITING',
  'REDIS_HIGH_WATER',
  'AGING_BOUND',
  'SHUTDOWN_GRACE',
] as const;

export type ApiConfig = Settings<(typeof names)[number]>;

/** The API's settings. @throws MillraceError CONFIG_INVALID with every problem at once. */
export function readConfig(): ApiConfig {
  return readSettings(names);
}
