import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryOnPath } from '../../scripts/redis/on-path.mjs';
import { type Server, startServer } from '../../scripts/redis/server.mjs';

export interface PrivateRedisOptions {
  /** Default: a free one; a restart keeps it. */
  readonly port?: number;
  /** Where its append-only file is kept. Default: a temporary folder that `stop` removes. */
  readonly dir?: string;
  /** More of redis-server's options, e.g. ['--maxmemory', '4mb']. */
  readonly args?: readonly string[];
}

export interface PrivateRedis {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Of the server that runs now: a restart changes it. */
  readonly pid: number;
  /** Ends it and leaves its data and port; SIGKILL to break it. Resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data; ends it first if it still runs. */
  restart(): Promise<void>;
  /** Ends it for good and removes a temporary folder. May be called twice. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A real Redis of a test's own, to be filled, frozen, killed and restarted. */
export async function startRedis(options: PrivateRedisOptions = {}): Promise<PrivateRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-redis-'));
  const dir = options.dir ?? join(folder, 'data');
  const settings = {
    binary: await testRedisBinary(),
    dir,
    logFile: join(folder, 'redis.log'),
    args: [...(options.args ?? [])],
  };
  let server: Server = await startServer({ ...settings, ...(options.port !== undefined && { port: options.port }) });
  const redis = {
    url: server.url,
    port: server.port,
    dir,
    get pid() {
      return server.pid;
    },
    async kill(signal: NodeJS.Signals = 'SIGKILL') {
      await server.stop(signal);
    },
    async restart() {
      await server.stop();
      server = await startServer({ ...settings, port: server.port });
    },
    async stop(signal?: NodeJS.Signals) {
      await server.stop(signal);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return redis;
}

/** The server that `npm test` found; else, under a bare `npx vitest`, the one on PATH. */
export async function testRedisBinary(): Promise<string> {
  const found =
    process.env['MILLRACE_TEST_REDIS_BINARY'] ??
    (await binaryOnPath({ env: process.env, signal: new AbortController().signal, terminal: silent, home: '' }));
  if (found === undefined) throw new Error('No redis-server on PATH: run `npm test`, which finds or fetches one.');
  return found;
}

const silent = { step: () => {}, say: () => {} };
