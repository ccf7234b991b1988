import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { MillraceError } from '../errors.ts';
import { parseRedisUrl, type TlsFiles, tlsParameters } from './redis-url.ts';

/** The settings that say where Redis is. */
export const redisSettings = [
  'REDIS_URL',
  'REDIS_TLS_CA',
  'REDIS_TLS_CERT',
  'REDIS_TLS_KEY',
  'REDIS_TLS_SERVERNAME',
] as const;

/** Those that go into the address. */
export type TlsSetting = Exclude<(typeof redisSettings)[number], 'REDIS_URL'>;
type RedisSettings = { readonly REDIS_URL: string } & { readonly [Name in TlsSetting]: string | undefined };

/**
 * REDIS_URL with the TLS settings as its parameters: one text that says all, also to another process. A parameter that it has
 * wins over the setting.
 * @throws MillraceError CONFIG_INVALID when the settings and the address do not go together.
 */
export function fullRedisUrl(given: RedisSettings): string {
  const { REDIS_URL: url } = given;
  const values = [given.REDIS_TLS_CA, given.REDIS_TLS_CERT, given.REDIS_TLS_KEY, given.REDIS_TLS_SERVERNAME];
  const [address = '', query = ''] = splitOnce(url, '?');
  const parameters = new URLSearchParams(query);
  tlsParameters.forEach((name, index) => {
    const value = values[index];
    if (value !== undefined && !parameters.has(name)) parameters.set(name, value);
  });
  const full = parameters.size === 0 ? address : `${address}?${parameters}`;
  parseRedisUrl(full);
  return full;
}

/** Reads the files. @throws MillraceError CONFIG_INVALID when one cannot be read. */
export function tlsOptions({ ca, cert, key, servername }: TlsFiles): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca: readPem('REDIS_TLS_CA', ca) }),
    ...(cert === undefined ? {} : { cert: readPem('REDIS_TLS_CERT', cert) }),
    ...(key === undefined ? {} : { key: readPem('REDIS_TLS_KEY', key) }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function readPem(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const message = `${name} is ${JSON.stringify(file)}, which cannot be read (${(error as Error).message}): name a PEM file.`;
    throw new MillraceError('CONFIG_INVALID', message, { cause: error });
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
