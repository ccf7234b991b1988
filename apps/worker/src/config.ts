import { fileURLToPath } from 'node:url';
import { readSettings, type Settings } from '@millrace/shared/env';

const names = [
  'REDIS_URL',
  'MILLRACE_PREFIX',
  'LOG_LEVEL',
  'TASK_LIMITS',
  'MILLRACE_PLUGINS',
  'SHUTDOWN_GRACE',
  'REDIS_HIGH_WATER',
  'AGING_BOUND',
  'FAMILIES',
  'MODELS_DIR',
  'INFERENCE_LANES',
  'INFERENCE_THREADS',
  'INFERENCE_BATCH_TOKENS',
  'INFERENCE_CALL_TOKENS',
  'TEXT_LANES',
  'BATCH_ITEMS',
  'BATCH_WAIT',
  'WINDOW_ITEMS',
  'WINDOW_TOKENS',
] as const;

export type WorkerConfig = Omit<Settings<(typeof names)[number]>, 'MODELS_DIR'> & { readonly MODELS_DIR: string };

/** The worker's settings. @throws MillraceError CONFIG_INVALID with every problem at once. */
export function readConfig(): WorkerConfig {
  const settings = readSettings(names);
  const bundled = fileURLToPath(new URL('../../../models', import.meta.url));
  return { ...settings, MODELS_DIR: settings.MODELS_DIR ?? bundled };
}
