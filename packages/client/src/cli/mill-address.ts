import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isGiven, readSettings } from '@millrace/shared/env';
import { fullRedisUrl, redisSettings } from '@millrace/shared/redis/redis-tls';
import { maskRedisUrl } from '@millrace/shared/redis/redis-url';
import { exitCodes } from './exit-codes.ts';
import { Refusal } from './refusal.ts';

/** The options by which every command finds its mill. */
export interface MillFlags {
  readonly url?: string;
  readonly redis?: string;
}

/** Where a mill is, and how a person reads it. */
export type MillAddress =
  | { readonly way: 'http'; readonly baseUrl: string; readonly apiKey: string | undefined; readonly shown: string }
  | { readonly way: 'redis'; readonly redisUrl: string; readonly prefix: string; readonly shown: string };

export const howToStart =
  'Start one with `npm start`, or say where it is: --url http://host:3000 (or MILLRACE_URL), or --redis redis://host:6379 (or REDIS_URL).';

/**
 * Finds the mill: what the options say, else the environment and `.env` (MILLRACE_URL before REDIS_URL), else the private Redis of
 * an `npm start` in this folder or one above.
 * @throws Refusal when there is none, MillraceError CONFIG_INVALID.
 */
export function findMill({ url, redis }: MillFlags): MillAddress {
  if (url !== undefined && redis !== undefined)
    throw new Refusal('--url and --redis exclude each other: give one of them.');
  const {
    MILLRACE_URL,
    MILLRACE_API_KEY,
    MILLRACE_PREFIX: prefix,
  } = readSettings(['MILLRACE_URL', 'MILLRACE_API_KEY', 'MILLRACE_PREFIX']);
  const baseUrl = url ?? (redis === undefined ? MILLRACE_URL : undefined);
  if (baseUrl !== undefined) return { way: 'http', baseUrl, apiKey: MILLRACE_API_KEY, shown: masked(baseUrl) };
  const redisUrl = redis ?? givenRedis() ?? privateRedis();
  if (redisUrl === undefined) throw new Refusal(`No mill is known here. ${howToStart}`, exitCodes.unreachable);
  return { way: 'redis', redisUrl, prefix, shown: maskRedisUrl(redisUrl) };
}

function givenRedis(): string | undefined {
  return isGiven('REDIS_URL') ? fullRedisUrl(readSettings(redisSettings)) : undefined;
}

/** What a running `npm start` has written down: its data folder is below the folder where it was started. */
function privateRedis(): string | undefined {
  const { MILLRACE_HOME: home } = readSettings(['MILLRACE_HOME']);
  for (const folder of upwards(process.cwd())) {
    const record = path.resolve(folder, home, 'redis.json');
    if (existsSync(record)) return urlIn(record);
  }
  return undefined;
}

function* upwards(from: string): Generator<string> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    yield folder;
    if (folder === path.dirname(folder)) return;
  }
}

function urlIn(record: string): string {
  try {
    const { url } = JSON.parse(readFileSync(record, 'utf8')) as { url?: unknown };
    if (typeof url === 'string') return url;
  } catch {
    // Said below: whatever is wrong with it, it names no Redis.
  }
  throw new Refusal(`${record} does not say where Redis is. ${howToStart}`, exitCodes.unreachable);
}

/** An address without its password. */
function masked(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  if (url.password !== '') url.password = '***';
  return url.href.replace(/\/$/, '');
}
