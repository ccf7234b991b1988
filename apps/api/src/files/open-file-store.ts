import { MillraceError } from '@millrace/shared/errors';
import type { FileStore } from './file-store.ts';
import { DiskStore } from './file-stores/disk.ts';
import { S3Store } from './file-stores/s3.ts';

/** The settings that say where files are. */
export interface StorageConfig {
  readonly FILES_DIR: string;
  readonly FILES_S3: string | undefined;
  readonly FILES_S3_KEY_ID: string | undefined;
  readonly FILES_S3_SECRET: string | undefined;
  readonly FILES_S3_REGION: string;
}

/** The store of a configuration; nothing is asked of it yet. @throws MillraceError CONFIG_INVALID. */
export function openFileStore(config: StorageConfig): FileStore {
  const { FILES_S3: url, FILES_S3_KEY_ID: keyId, FILES_S3_SECRET: secret, FILES_S3_REGION: region } = config;
  if (url === undefined) return new DiskStore(config.FILES_DIR);
  if (keyId === undefined || secret === undefined) {
    throw new MillraceError('CONFIG_INVALID', 'FILES_S3 is set, so FILES_S3_KEY_ID and FILES_S3_SECRET are needed.');
  }
  return new S3Store({ url, keyId, secret, region });
}
