import { spawn } from 'node:child_process';

/** @typedef {import('./root.mjs').Env} Env */
/**
 * @typedef {object} CommandOptions
 * @property {string} [cwd]
 * @property {Env} [env]
 * @property {AbortSignal} [signal] ends the command and all that it started
 */
/** @typedef {{ ok: boolean, output: string }} CommandResult output: stdout and stderr as they came, the last 64 KiB */

const KEPT_CHARACTERS = 64 * 1024;

/**
 * Runs a program to its end and keeps what it printed, to be shown only if it failed. A program that cannot be
 * started is `ok: false` too.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<CommandResult>}
 */
export function runCommand(command, args, { cwd, env, signal } = {}) {
  if (signal?.aborted) return Promise.resolve({ ok: false, output: 'stopped' });
  return new Promise((resolve) => {
    // A group of its own, so that stopping it also stops compilers and shells that it started.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output = (output + chunk.toString()).slice(-KEPT_CHARACTERS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stop = () => endGroup(child.pid, 'SIGTERM');
    signal?.addEventListener('abort', stop, { once: true });
    /** @param {boolean} ok */
    const finish = (ok) => {
      signal?.removeEventListener('abort', stop);
      resolve({ ok, output });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(false);
    });
    child.once('close', (code) => finish(code === 0));
  });
}

/**
 * Signals a process group; one that is gone is fine.
 *
 * @param {number | undefined} pid its leader
 * @param {NodeJS.Signals} signal
 */
export function endGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: all its members have ended
  }
}

/**
 * @param {string} output
 * @param {number} count
 * @returns {string} its last non-empty lines, indented
 */
export function lastLines(output, count) {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n');
}
