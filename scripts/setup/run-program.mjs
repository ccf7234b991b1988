import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a Node program in our terminal. A Ctrl-C reaches it by itself; other stop requests are handed on, and its end
 * is always waited for.
 *
 * @param {string[]} args
 * @param {{ cwd: string, env: import('./root.mjs').Env, signal: AbortSignal }} options
 * @returns {Promise<number>} its exit code, 128 + n after signal n
 */
export function runProgram(args, { cwd, env, signal }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env, stdio: 'inherit' });
    const stop = () => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', (code, name) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? 128 + (name === null ? 0 : constants.signals[name]));
    });
  });
}
