import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const main = fileURLToPath(new URL('../../packages/client/dist/cli/main.js', import.meta.url));

/** What a command said and ended with. */
export interface CliEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<CliEnd>;
  /** What it has said on stderr so far. */
  err(): string;
  /** More for its stdin; `end` closes it. */
  write(text: string): void;
  end(): void;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  /** All of its stdin; left out, nothing comes and it is closed. */
  readonly input?: string;
  readonly cwd?: string;
}

const running = new Set<ChildProcess>();
const folders: string[] = [];

/** A folder of a test's own. */
export function ownFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-cli-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Starts `millrace` with nothing of this process's environment but PATH. Its stdin stays open. */
export function startCli(args: readonly string[], { env = {}, cwd }: CliOptions = {}): CliProcess {
  return follow(
    spawn(process.execPath, [main, ...args], { cwd: cwd ?? tmpdir(), env: { PATH: process.env['PATH'], ...env } }),
  );
}

/** The same by a shell that sets something up first; `"$@"` is the command. */
export function startCliIn(shell: string, args: readonly string[], { env = {}, cwd }: CliOptions = {}): CliProcess {
  const command = ['-c', shell, 'sh', process.execPath, main, ...args];
  return follow(spawn('sh', command, { cwd: cwd ?? tmpdir(), env: { PATH: process.env['PATH'], ...env } }));
}

/** Runs it to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  const cli = startCli(args, options);
  cli.write(options.input ?? '');
  cli.end();
  return await cli.ended;
}

/** Looks until something is so; the time limit is the test's. */
export async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    await pause(20);
  }
}

/** Resolves when the ledger of an output says that so many records are done. */
export async function isDone(output: string, records: number): Promise<void> {
  await until(() => (recordsIn(`${output}.part.json`) === records ? true : undefined));
}

function recordsIn(ledger: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(ledger, 'utf8')) as { done: { records: number } }).done.records;
  } catch {
    return undefined;
  }
}

function follow(child: ChildProcess): CliProcess {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (piece) => {
    said.out += piece;
  });
  child.stderr?.on('data', (piece) => {
    said.err += piece;
  });
  // A command that is done does not read to the end.
  child.stdin?.on('error', () => {});
  running.add(child);
  const ended = new Promise<CliEnd>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, ...said });
    });
  });
  return {
    child,
    ended,
    err: () => said.err,
    write: (text) => void child.stdin?.write(text),
    end: () => void child.stdin?.end(),
  };
}
