import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { endGroup } from './command.mjs';

const GRACE_MS = 10_000;

/**
 * Runs a Node program that prints to our terminal. It leads a process group of its own: a stop request reaches all
 * that it started, once, and nothing of it outlives it.
 *
 * @param {string[]} args
 * @param {{ cwd: string, env: import('./root.mjs').Env, signal: AbortSignal }} options
 * @returns {Promise<number>} its exit code, 128 + n after signal n
 */
export function runProgram(args, { cwd, env, signal }) {
  return new Promise((resolve, reject) => {
    // No stdin: a group in the background that reads the terminal would be stopped.
    const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });
    const kill = () => endGroup(child.pid, 'SIGKILL');
    const stop = () => {
      endGroup(child.pid, signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
      setTimeout(kill, GRACE_MS).unref();
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', (code, name) => {
      signal.removeEventListener('abort', stop);
      kill();
      resolve(code ?? 128 + (name === null ? 0 : constants.signals[name]));
    });
  });
}
