import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mill } from '@millrace/client/mill';
import { createLogger } from '@millrace/shared/logger';
import { createKeys, type Keys } from '@millrace/shared/redis/keys';
import { type Api, openApi } from '../../apps/api/src/api.ts';
import type { ApiConfig } from '../../apps/api/src/config.ts';
import type { ProblemDetails } from '../../apps/api/src/problem.ts';
import { ownPrefix } from '../setup/mill.ts';

/** An API of a test's own that listens on a free port of this process. */
export interface TestApi {
  readonly api: Api;
  readonly mill: Mill;
  readonly keys: Keys;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly url: string;
  /** Where its files are. */
  readonly filesDir: string;
  /** What it has logged. */
  readonly lines: readonly Record<string, unknown>[];
  /** What it told to a person. */
  readonly told: readonly string[];
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** A request of any method, with a body of JSON if there is one. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** The files of the APIs of a test file; each has a folder of its own there. */
const filesHome = mkdtempSync(path.join(tmpdir(), 'millrace-files-'));
process.once('exit', () => rmSync(filesHome, { recursive: true, force: true }));

/** Opens an API on a real port; with `config` in place of what the environment would say. */
export async function openTestApi(redisUrl: string, config: Partial<ApiConfig> = {}): Promise<TestApi> {
  const told: string[] = [];
  const settings: ApiConfig = {
    REDIS_URL: redisUrl,
    MILLRACE_PREFIX: ownPrefix(),
    LOG_LEVEL: 'info',
    TASK_LIMITS: new Map(),
    MILLRACE_PLUGINS: [],
    PORT: 0,
    HOST: '127.0.0.1',
    MILLRACE_API_KEYS: undefined,
    RATE_LIMIT: undefined,
    ALLOWED_HOSTS: [],
    CORS_ORIGINS: [],
    BOARD_HIDE_PAYLOADS: 'false',
    BODY_LIMIT: 16 * 2 ** 20,
    MAX_WAITING: 1_000_000,
    REDIS_HIGH_WATER: { share: 0.8 },
    DRAIN_TARGET: 60_000,
    AGING_BOUND: 300_000,
    SHUTDOWN_GRACE: 5000,
    FILES_DIR: mkdtempSync(path.join(filesHome, 'api-')),
    FILES_S3: undefined,
    FILES_S3_KEY_ID: undefined,
    FILES_S3_SECRET: undefined,
    FILES_S3_REGION: 'us-east-1',
    FILES_TTL: 86_400_000,
    FILE_LIMIT: 512 * 2 ** 20,
    RUN_LINES: 100_000,
    RUN_WINDOW: 2048,
    WEBHOOK_HOSTS: [],
    WEBHOOK_SECRET: undefined,
    WEBHOOK_PRIVATE_ADDRESSES: '0',
    WEBHOOK_TIMEOUT: 10_000,
    WEBHOOK_TRIES: 15,
    WEBHOOK_BACKOFF: 5000,
    ...config,
  };
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const log = createLogger({ name: 'api', level: settings.LOG_LEVEL, destination });
  const api = await openApi({ config: settings, log, tell: (line) => told.push(line) });
  await api.app.listen({ host: '127.0.0.1', port: settings.PORT });
  const { port } = api.app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const send = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: body === undefined || typeof body === 'string' ? (body ?? null) : JSON.stringify(body),
    });
  const { MILLRACE_PREFIX: prefix } = settings;
  return {
    api,
    mill: api.mill,
    keys: createKeys(prefix),
    redisUrl,
    prefix,
    url,
    filesDir: settings.FILES_DIR,
    lines,
    told,
    get: (path, headers = {}) => fetch(url + path, { headers, redirect: 'manual' }),
    post: (path, body, headers) => send('POST', path, body, headers),
    send,
  };
}

/** The problem details that a response must be. */
export async function problemIn(response: Response): Promise<ProblemDetails> {
  const type = response.headers.get('content-type');
  if (type !== 'application/problem+json') throw new Error(`${response.status} ${type}: ${await response.text()}`);
  return (await response.json()) as ProblemDetails;
}

export function embedTask(texts: readonly string[], options: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: 'inference.embed', input: { texts }, ...options };
}
