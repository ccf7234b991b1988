import path from 'node:path';
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
  'DRAIN_TARGET',
  'AGING_BOUND',
  'SHUTDOWN_GRACE',
  'MILLRACE_HOME',
  'FILES_DIR',
  'FILES_S3',
  'FILES_S3_KEY_ID',
  'FILES_S3_SECRET',
  'FILES_S3_REGION',
  'FILES_TTL',
  'FILE_LIMIT',
  'RUN_LINES',
  'RUN_WINDOW',
] as const;

type Given = Settings<(typeof names)[number]>;
/** Where files are is found by MILLRACE_HOME when it is left out. */
export type ApiConfig = Omit<Given, 'FILES_DIR' | 'MILLRACE_HOME'> & { readonly FILES_DIR: string };

/** The API's settings. @throws MillraceError CONFIG_INVALID with every problem at once. */
export function readConfig(): ApiConfig {
  const { MILLRACE_HOME: home, ...settings } = readSettings(names);
  return { ...settings, FILES_DIR: settings.FILES_DIR ?? path.resolve(home, 'files') };
}
