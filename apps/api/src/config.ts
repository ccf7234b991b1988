import path from 'node:path';
import { readSettings, type Settings } from '@millrace/shared/env';
import { fullRedisUrl, redisSettings, type TlsSetting } from '@millrace/shared/redis/redis-tls';

const names = [
  ...redisSettings,
  'MILLRACE_PREFIX',
  'LOG_LEVEL',
  'TASK_LIMITS',
  'MILLRACE_PLUGINS',
  'PORT',
  'HOST',
  'MILLRACE_API_KEYS',
  'RATE_LIMIT',
  'ALLOWED_HOSTS',
  'CORS_ORIGINS',
  'BOARD_HIDE_PAYLOADS',
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
  'WEBHOOK_HOSTS',
  'WEBHOOK_SECRET',
  'WEBHOOK_PRIVATE_ADDRESSES',
  'WEBHOOK_TIMEOUT',
  'WEBHOOK_TRIES',
  'WEBHOOK_BACKOFF',
] as const;

type Given = Settings<(typeof names)[number]>;
/** Where files are is found by MILLRACE_HOME when it is left out. */
export type ApiConfig = Omit<Given, 'FILES_DIR' | 'MILLRACE_HOME' | TlsSetting> & { readonly FILES_DIR: string };

/** The API's settings. @throws MillraceError CONFIG_INVALID with every problem at once. */
export function readConfig(): ApiConfig {
  const { MILLRACE_HOME: home, ...settings } = readSettings(names);
  return {
    ...settings,
    REDIS_URL: fullRedisUrl(settings),
    FILES_DIR: settings.FILES_DIR ?? path.resolve(home, 'files'),
  };
}
