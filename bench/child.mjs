import { fork } from 'node:child_process';
import { once } from 'node:events';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * Forks a script of this folder and waits until it says `ready`.
 *
 * @param {string} script
 * @param {string[]} args
 * @param {import('./contender.mjs').Bench} bench
 * @returns {Promise<ChildProcess>}
 */
export async function forkReady(script, args, { closers }) {
  const child = fork(new URL(script, import.meta.url), args, { serialization: 'advanced' });
  closers.add(() => end(child, 'SIGKILL'));
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`bench/${script} ended with code ${code}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {}); // it ends when the bench closes it
  return child;
}

/**
 * Starts one of the apps as it comes, without the settings that a `.env` of the repository may hold. It is not in our
 * terminal's group: a Ctrl-C must reach it from us, in order, while Redis is still there.
 *
 * @param {string} main
 * @param {Record<string, string>} env
 * @param {Pick<import('./contender.mjs').Bench, 'closers' | 'folder'>} bench
 * @returns {Promise<never>} rejects when it ends by itself
 */
export function startApp(main, env, { closers, folder }) {
  const child = fork(main, [], {
    cwd: folder,
    env: { ...process.env, LOG_LEVEL: 'warn', ...env },
    detached: true,
    stdio: ['ignore', 2, 2, 'ipc'], // our stdout is for the report
  });
  closers.add(() => end(child, 'SIGTERM'));
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${main} ended with code ${code}`);
  });
  failed.catch(() => {}); // it ends when the bench closes it
  return failed;
}

/**
 * @param {ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
