import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSettings, type Settings } from '@millrace/shared/env';
import { fullRedisUrl, redisSettings, type TlsSetting } from '@millrace/shared/redis/redis-tls';

const names = [
  ...redisSettings,
  'MILLRACE_PREFIX',
  'LOG_LEVEL',
  'TASK_LIMITS',
  'MILLRACE_PLUGINS',
  'SHUTDOWN_GRACE',
  'REDIS_HIGH_WATER',
  'AGING_BOUND',
  'FAMILIES',
  'MODELS_DIR',
  'MODEL_MEMORY',
  'ALLOW_REMOTE_MODELS',
  'MODEL_HUB',
  'INFERENCE_LANES',
  'INFERENCE_THREADS',
  'INFERENCE_BATCH_TOKENS',
  'INFERENCE_CALL_TOKENS',
  'TEXT_LANES',
  'LANE_MEMORY',
  'LANE_NICE',
  'VECTOR_MEMORY',
  'SNAPSHOTS_DIR',
  'MILLRACE_HOME',
  'SAME_TEXT_MEMORY',
  'RESULT_CACHE',
  'RESULT_CACHE_TTL',
  'BATCH_ITEMS',
  'BATCH_WAIT',
  'WINDOW_ITEMS',
  'WINDOW_TOKENS',
] as const;

/** Folders that are found by where the code is, or by other settings, when they are left out. */
type Folder = 'MODELS_DIR' | 'SNAPSHOTS_DIR';
export type WorkerConfig = Omit<Settings<(typeof names)[number]>, Folder | TlsSetting> & {
  readonly [Name in Folder]: string;
};

/** The worker's settings. @throws MillraceError CONFIG_INVALID with every problem at once. */
export function readConfig(): WorkerConfig {
  const settings = readSettings(names);
  const bundled = fileURLToPath(new URL('../../../models', import.meta.url));
  return {
    ...settings,
    REDIS_URL: fullRedisUrl(settings),
    MODELS_DIR: settings.MODELS_DIR ?? bundled,
    SNAPSHOTS_DIR: settings.SNAPSHOTS_DIR ?? path.resolve(settings.MILLRACE_HOME, 'snapshots'),
  };
}
