import { spawn } from 'node:child_process';
import { endGroup } from '../setup/command.mjs';

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} AppExit */
/**
 * @typedef {object} AppProcess
 * @property {Promise<AppExit>} exited after its last line of output was read
 * @property {(force: AbortSignal) => Promise<void>} stop
 */

const GRACE_MS = 30_000; // a worker gives back what it holds; a running call may take seconds

/**
 * Starts the API or a worker.
 *
 * - In a group of its own, so that a Ctrl-C in the terminal does not reach it beside our own SIGTERM.
 * - With an IPC channel that nobody writes to: it closes when we die, by kill -9 too, and the apps end themselves then.
 *
 * @param {{ entry: string, cwd: string, env: import('../setup/root.mjs').Env, log: import('./app-log.mjs').AppLog }} options
 * @returns {AppProcess}
 */
export function startApp({ entry, cwd, env, log }) {
  const child = spawn(process.execPath, [entry], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  if (child.stdout) log.follow(child.stdout, { toPerson: true });
  if (child.stderr) log.follow(child.stderr);
  // Its own children (compute lanes) must not outlive it; they also hold its output open.
  child.once('exit', () => endGroup(child.pid, 'SIGKILL'));
  /** @type {Promise<AppExit>} */
  const exited = new Promise((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    exited,
    async stop(force) {
      child.kill('SIGTERM');
      const kill = () => endGroup(child.pid, 'SIGKILL');
      const timer = setTimeout(kill, GRACE_MS);
      if (force.aborted) kill();
      force.addEventListener('abort', kill, { once: true });
      await exited;
      clearTimeout(timer);
      force.removeEventListener('abort', kill);
    },
  };
}
