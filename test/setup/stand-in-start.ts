import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { freePort } from '../../scripts/redis/free-port.mjs';
import { startTimeOf } from '../../scripts/setup/process-identity.mjs';

const ENTRY = fileURLToPath(new URL('stand-ins/start.mjs', import.meta.url));
const WITHIN = { timeout: 20_000, interval: 20 };

export interface StandInStart {
  readonly pid: number;
  /** What it printed so far, both streams. */
  output(): string;
  /** Resolves when it has printed that. */
  printed(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** A data folder and a port, and what starts `npm start` with stand-in apps there. */
export async function standInPlace() {
  const home = mkdtempSync(join(tmpdir(), 'millrace-start-'));
  const port = await freePort();
  return {
    home,
    port,
    address: `http://127.0.0.1:${port}`,
    start: (env: Record<string, string> = {}) => run({ MILLRACE_HOME: home, PORT: String(port), ...env }),
    /** The pids that the stand-in apps have logged, lane included, and Redis's. */
    pids: () => [...appPids(home), redisPid(home)],
    redisPid: () => redisPid(home),
    appPids: () => appPids(home),
    log: (name: string) => readFileSync(join(home, 'logs', `${name}.log`), 'utf8'),
    remove() {
      if (existsSync(join(home, 'redis.json'))) process.kill(redisPid(home), 'SIGKILL');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export async function allEnded(pids: readonly number[]): Promise<void> {
  await vi.waitUntil(() => pids.every((pid) => startTimeOf(pid) === undefined), WITHIN);
}

function run(env: Record<string, string>): StandInStart {
  const { REDIS_URL: _, ...outer } = process.env;
  const child = spawn(process.execPath, [ENTRY], { env: { ...outer, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended: StandInStart['ended'] = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async printed(text) {
      await vi.waitUntil(() => output.includes(text) || child.exitCode !== null, WITHIN);
      if (!output.includes(text)) throw new Error(`ended without printing "${text}":\n${output}`);
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

function redisPid(home: string): number {
  return JSON.parse(readFileSync(join(home, 'redis.json'), 'utf8')).pid;
}

function appPids(home: string): number[] {
  return ['api', 'worker'].flatMap((name) => {
    const log = readFileSync(join(home, 'logs', `${name}.log`), 'utf8');
    return [...log.matchAll(/"pid":(\d+)|lane (\d+)/g)].map((match) => Number(match[1] ?? match[2]));
  });
}
