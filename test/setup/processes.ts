import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/redis/free-port.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One line of a process's log. */
export interface LogLine {
  readonly level: number;
  readonly event?: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** A Millrace process of a test's own. */
export interface TestProcess {
  readonly pid: number;
  /** What it has logged so far. */
  readonly lines: readonly LogLine[];
  /** Waits for a line of the log; the first that has come or comes. @throws when the process ends before. */
  logged(event: string): Promise<LogLine>;
  /** Resolves when it has ended. */
  readonly exited: Promise<unknown>;
  /** Ends it, by SIGTERM unless told otherwise, and waits. Gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

interface Options {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly env?: Record<string, string>;
}

/** Starts a worker and waits until it is warm and pulls. */
export async function startWorker(options: Options): Promise<TestProcess> {
  const worker = start('apps/worker/dist/main.js', options);
  await worker.logged('worker.started');
  return worker;
}

/** Starts an API on a free port and waits until it listens. */
export async function startApi(options: Options): Promise<TestProcess & { readonly url: string }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const api = start('apps/api/dist/main.js', { ...options, env: { PORT: String(port), ...options.env } });
  await api.logged('api.listening');
  return { ...api, url };
}

/** Snapshots of collections go there, not into the repository. */
const home = mkdtempSync(path.join(tmpdir(), 'millrace-test-'));
process.once('exit', () => rmSync(home, { recursive: true, force: true }));

const running = new Set<TestProcess>();

/** Ends what a test left running. */
export async function stopProcesses(): Promise<void> {
  await Promise.all([...running].map((process) => process.stop('SIGKILL')));
}

function start(main: string, { redisUrl, prefix, env }: Options): TestProcess {
  const child = spawn(process.execPath, [main], {
    cwd: root,
    env: { PATH: process.env['PATH'], REDIS_URL: redisUrl, MILLRACE_PREFIX: prefix, MILLRACE_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: LogLine[] = [];
  const exited = once(child, 'exit');
  const watchers = new Set<(line: LogLine) => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line: LogLine = text.startsWith('{') ? JSON.parse(text) : { level: 30, msg: text };
    lines.push(line);
    for (const watch of watchers) watch(line);
  });
  const started: TestProcess = {
    pid: child.pid ?? 0,
    lines,
    exited,
    logged: (event) => waitForLine({ child, lines, watchers }, event),
    stop: async (signal = 'SIGTERM') => {
      running.delete(started);
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
  running.add(started);
  return started;
}

interface Log {
  readonly child: ChildProcess;
  readonly lines: readonly LogLine[];
  readonly watchers: Set<(line: LogLine) => void>;
}

async function waitForLine({ child, lines, watchers }: Log, event: string): Promise<LogLine> {
  const there = lines.find((line) => line.event === event);
  if (there !== undefined) return there;
  return await new Promise((resolve, reject) => {
    const onExit = (code: number | null) => {
      const last = lines.slice(-3).map((line) => JSON.stringify(line));
      reject(new Error(`ended with ${code} before it logged ${event}: ${last.join('\n')}`));
    };
    const watch = (line: LogLine) => {
      if (line.event !== event) return;
      watchers.delete(watch);
      child.off('exit', onExit);
      resolve(line);
    };
    watchers.add(watch);
    child.once('exit', onExit);
  });
}
